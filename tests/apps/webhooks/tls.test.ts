/**
 * TLS to an address, as the name that was checked. The certificate is of `hooks.example`, its own authority; it was made
 * for this test and vouches for nothing else.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

setDefaultTimeout(30_000);

const TLS = join(import.meta.dir, "tls");
const CERTIFICATE = join(TLS, "certificate.pem");

async function postTo(url: string, env: Record<string, string>): Promise<string> {
  const program = [process.execPath, join(TLS, "post-over-tls.ts"), url, "127.0.0.1"];
  const child = Bun.spawn(program, { env: { ...process.env, ...env }, stdout: "pipe" });
  return (await new Response(child.stdout).text()).trim();
}

test("a webhook is told to whom the certificate names, and to nobody else", async () => {
  const hosts: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { key: Bun.file(join(TLS, "key.pem")), cert: Bun.file(CERTIFICATE) },
    fetch(request) {
      hosts.push(request.headers.get("host"));
      return new Response(null, { status: 204 });
    },
  });
  const { port } = server;
  const trusted = { NODE_EXTRA_CA_CERTS: CERTIFICATE };
  expect(await postTo(`https://hooks.example:${port}/`, trusted)).toBe("204");
  expect(hosts).toEqual([`hooks.example:${port}`]);
  expect(await postTo(`https://other.example:${port}/`, trusted)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  expect(await postTo(`https://hooks.example:${port}/`, {})).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(hosts).toHaveLength(1);
  await server.stop(true);
});
