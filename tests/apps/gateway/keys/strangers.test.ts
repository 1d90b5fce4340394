/** Keys that nobody made cost so many look-ups and no more, however they come. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Strangers } from "../../../../apps/gateway/keys/strangers.ts";
import { carriers, type KeyedGateways, startKeyedGateways } from "../../../support/keyed.ts";

setDefaultTimeout(30_000);

const PER_MINUTE = 6;
const unknown = () => `rk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;

describe("a gateway", () => {
  let gateways: KeyedGateways;
  let url: string;
  let secret: string;

  beforeAll(async () => {
    gateways = await startKeyedGateways(1, { UNKNOWN_KEYS_PER_MINUTE: String(PER_MINUTE) });
    url = gateways.urls[0]!;
    secret = await gateways.key();
  });
  afterAll(() => gateways.stop());

  const look = async (headers: Record<string, string>, path = "/documents") => {
    const response = await fetch(`${url}${path}`, { headers });
    return {
      status: response.status,
      retry_after: response.headers.get("retry-after"),
      body: await response.text(),
    };
  };

  test("asks Redis for so many of an address's unknown keys, whichever header they come in, and for known ones always", async () => {
    expect((await look({ "x-api-key": secret })).status).toBe(200);
    await gateways.redis.client.config("RESETSTAT");
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        look({ ...carriers[i % 2]![1](unknown()), "x-forwarded-for": `1.2.3.${i}` }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    const refused = answers.filter(({ status }) => status === 429);
    expect(statuses.filter((status) => status === 401).length).toBeWithin(PER_MINUTE, PER_MINUTE + 3);
    expect(refused.length + statuses.filter((status) => status === 401).length).toBe(30);
    expect(JSON.parse(refused[0]!.body).error.code).toBe("too_many_unknown_keys");
    expect(Number(refused[0]!.retry_after)).toBeWithin(1, 11);
    const asked = /cmdstat_evalsha:calls=(\d+)/.exec(await gateways.redis.client.info("commandstats"))?.[1];
    expect(Number(asked)).toBeLessThan(PER_MINUTE + 6);
    for (const [, carry] of carriers) {
      expect((await look(carry(secret))).status).toBe(200);
      expect((await look(carry(unknown()))).status).toBe(429);
      expect(JSON.parse((await look(carry(unknown()), "/v1/models")).body)).toMatchObject({
        error: { type: "rate_limit_error", code: "too_many_unknown_keys", param: null },
      });
    }
  });

  test("has what looks like no key refused without a look-up, and uncounted", async () => {
    const none: Record<string, string>[] = [{}, { "x-api-key": "rk_short" }, { authorization: "Bearer x" }];
    for (const headers of none) {
      expect((await look(headers)).status).toBe(401);
    }
  });
});

test("an address has its own bucket, a /64 of IPv6 has one, and an IPv4 address has one in both notations", () => {
  const strangers = new Strangers(1);
  const taken = (address: string) => strangers.take(address, unknown()) === 0;
  expect([taken("1.2.3.4"), taken("::ffff:1.2.3.4"), taken("1.2.3.5")]).toEqual([true, false, true]);
  expect([taken("2001:db8::1"), taken("2001:db8::ffff:0:0:2"), taken("2001:db8:0:1::1")]).toEqual([
    true,
    false,
    true,
  ]);
});

test("a key that was known is looked up in any case, until it is known no more", () => {
  const strangers = new Strangers(1);
  const key = unknown();
  strangers.take("1.2.3.4", key);
  strangers.known("1.2.3.4", key); // and gives back what it took
  expect(strangers.take("1.2.3.4", unknown())).toBe(0);
  expect([strangers.take("1.2.3.4", unknown()), strangers.take("1.2.3.4", key)]).toEqual([60, 0]);
  strangers.unknown(key);
  expect(strangers.take("1.2.3.4", key)).toBe(60);
});

test("what Redis did not answer is given back", () => {
  const strangers = new Strangers(1);
  const key = unknown();
  expect(strangers.take("1.2.3.4", key)).toBe(0);
  expect(strangers.take("1.2.3.4", key)).toBe(60);
  strangers.unanswered("1.2.3.4");
  expect(strangers.take("1.2.3.4", key)).toBe(0);
});
