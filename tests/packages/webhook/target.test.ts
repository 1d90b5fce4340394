/** Where webhooks may go, however it is written. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addressOf, isAllowed, parseNetworks, readTarget, WebhookRefused } from "#webhook";

const PRIVATE = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "192.0.0.1",
  "192.0.2.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:0:127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::7f00:1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "4000::1",
  "5f00::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "localhost",
  "",
];

test.each(PRIVATE)("%p is not reached", (address) => {
  expect(isAllowed(address, [])).toBe(false);
});

test.each(["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::200e"])(
  "%p is",
  (address) => {
    expect(isAllowed(address, [])).toBe(true);
  },
);

test("a network that is allowed is reached, and its neighbour is not", () => {
  const allowed = parseNetworks(["10.1.2.0/24", "fd00:1::/64"]);
  expect(["10.1.2.3", "fd00:1::5"].map((address) => isAllowed(address, allowed))).toEqual([true, true]);
  const others = ["10.1.3.3", "fd00:2::5", "::ffff:10.1.2.3"];
  expect(others.map((address) => isAllowed(address, allowed))).toEqual([false, false, false]);
});

describe("a url that says so itself is refused, in whichever way it is written:", () => {
  test.each([
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.0x1/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\@example.com/",
    "http://127.0.0.1?@example.com/",
    "http://127.0.0.1#@example.com/",
    "ht\ntp://127.0.\t0.1/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://user@example.com/",
    "http://:secret@example.com/",
    "https://example.com:25/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com:70/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//example.com/",
    "example.com",
    "http://",
    "http://[fe80::1%25eth0]/",
    "http://exa mple.com/",
  ])("%p", (url) => {
    expect(() => readTarget(url, [])).toThrow(WebhookRefused);
  });
});

test("what is connected to is what was checked: written out and read again, a url leads to the same host", () => {
  const urls = fc.oneof(
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.string({ unit: "binary" }).map((text) => `http://example.com${text}`),
    fc.constantFrom(
      "http://example.com#@127.0.0.1/",
      "http://example.com\\@127.0.0.1/",
      "HTTP://EXAMPLE.com./",
    ),
  );
  fc.assert(
    fc.property(urls, (text) => {
      let first: ReturnType<typeof readTarget>;
      try {
        first = readTarget(text, []);
      } catch (error) {
        expect(error).toBeInstanceOf(WebhookRefused);
        return;
      }
      const again = readTarget(first.url.href, []);
      expect([again.host, again.url.href]).toEqual([first.host, first.url.href]);
      expect(first.url.hash).toBe("");
    }),
  );
});

describe("a name", () => {
  const target = readTarget("https://hooks.example/x", []);

  test("is refused if any of its addresses is private, wherever it stands", async () => {
    for (const addresses of [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::1", "1.1.1.1"], ["1.1.1.1", "?"]]) {
      await expect(addressOf(target, [], async () => addresses)).rejects.toThrow(WebhookRefused);
    }
  });

  test("is looked up once, and what came of it is what is given", async () => {
    const answers = [["1.1.1.1", "1.0.0.1"], ["127.0.0.1"]];
    const resolve = async () => answers.shift()!;
    expect(await addressOf(target, [], resolve)).toBe("1.1.1.1");
    expect(answers).toHaveLength(1);
  });

  test("of this machine is refused by the real resolver", async () => {
    await expect(addressOf(readTarget("http://localhost/", []), [])).rejects.toThrow(WebhookRefused);
  });
});
