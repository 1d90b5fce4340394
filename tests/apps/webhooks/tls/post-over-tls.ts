/** `bun post-over-tls.ts URL ADDRESS`: prints the status of a POST there, or what kept it from one. */
import { post, readTarget } from "#webhook";

const [url = "", address = ""] = process.argv.slice(2);
const signal = AbortSignal.timeout(10_000);
try {
  console.log(await post(readTarget(url, []), { address, headers: {}, body: "{}", signal }));
} catch (error) {
  console.log((error as { code?: string }).code);
}
