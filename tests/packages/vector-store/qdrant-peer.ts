/**
 * A peer that answers Qdrant's REST API as documented for the calls that the store makes, from memory, and
 * records what it was sent. It checks what the store says on the wire and how it goes about its steps; that
 * a real Qdrant agrees is what the conformance suite finds out where `QDRANT_URL` is set.
 */

import { type Filter, matches } from "./qdrant-filter.ts";
import { checkedSparse, normalised, query, type StoredPoint } from "./qdrant-query.ts";

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into, field by field, as a server without types would
type Json = Record<string, any>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface Recorded {
  method: string;
  /** Path and query. */
  path: string;
  headers: Headers;
  body: Json;
}

export class QdrantPeer {
  readonly requests: Recorded[] = [];
  readonly points = new Map<string, StoredPoint>();
  collection: Json | undefined;
  /** Looks at each request first; what it returns is the answer. */
  intercept: ((request: Recorded) => Response | undefined | Promise<Response | undefined>) | undefined;
  #indexes: Json = {};
  #server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => this.#answer(request) });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Requests whose path matches, oldest first. */
  sent(method: string, path: RegExp): Recorded[] {
    return this.requests.filter((request) => request.method === method && path.test(request.path));
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url);
    const text = await request.text();
    const recorded: Recorded = {
      method: request.method,
      path: pathname + search,
      headers: request.headers,
      body: text ? JSON.parse(text) : {},
    };
    this.requests.push(recorded);
    const intercepted = await this.intercept?.(recorded);
    if (intercepted) return intercepted;
    const route = pathname.replace(/^\/collections\/[^/]+/, "");
    const result = this.#answerTo(`${request.method} ${route}`, recorded.body, searchParams);
    return result instanceof Response ? result : Response.json({ result, status: "ok", time: 0.001 });
  }

  #answerTo(route: string, body: Json, params: URLSearchParams): unknown {
    try {
      return this.#route(route, body, params);
    } catch (error) {
      return failure(400, `Wrong input: ${(error as Error).message}`);
    }
  }

  #route(route: string, body: Json, params: URLSearchParams): unknown {
    if (route === "GET /exists") return { exists: this.collection !== undefined };
    if (route === "PUT ") {
      if (this.collection) return failure(409, "Wrong input: Collection already exists!");
      this.collection = body;
      return true;
    }
    if (!this.collection) return failure(404, "Not found: Collection doesn't exist!");
    const done = { operation_id: 0, status: params.get("wait") === "true" ? "completed" : "acknowledged" };
    switch (route) {
      case "GET ":
        return { status: "green", config: { params: this.collection }, payload_schema: this.#indexes };
      case "PUT /index":
        this.#indexes[body.field_name] = { data_type: body.field_schema, points: 0 };
        return done;
      case "PUT /points":
        this.#upsert(body);
        return done;
      case "POST /points/batch":
        for (const operation of body.operations) {
          if (operation.upsert) this.#upsert(operation.upsert);
          else this.#delete(operation.delete);
        }
        return body.operations.map(() => done);
      case "POST /points":
        return body.ids.flatMap((id: string) => this.#read(id, body) ?? []);
      case "POST /points/query":
        return {
          points: query([...this.points.values()], body).map((scored) => ({
            version: 0,
            ...scored,
            ...this.#read(scored.id, body),
          })),
        };
      case "POST /points/scroll":
        return this.#scroll(body);
      case "POST /points/count":
        return { count: this.#matching(body.filter).length };
      default:
        return failure(404, `no such route: ${route}`);
    }
  }

  #upsert({ points, update_filter }: Json): void {
    for (const { id, vector, payload } of points as StoredPoint[]) {
      const old = this.points.get(id);
      if (old && update_filter && !matches(old.payload, update_filter)) continue;
      const { dense, text, ...unknown } = vector;
      if (!UUID.test(id) || Object.keys(unknown).length > 0)
        throw new Error(`point ${id}: ${Object.keys(unknown)}`);
      this.points.set(id, {
        id,
        vector: { ...(dense && { dense: normalised(dense) }), ...(text && { text: checkedSparse(text) }) },
        payload,
      });
    }
  }

  #delete({ points, filter }: Json): void {
    const ids = points ?? this.#matching(filter).map(({ id }) => id);
    for (const id of ids) this.points.delete(id);
  }

  #matching(filter: Filter): StoredPoint[] {
    return [...this.points.values()].filter(({ payload }) => matches(payload, filter));
  }

  /** A point with what of its payload and vectors is asked for. */
  #read(id: string, { with_payload, with_vector }: Json): Json | undefined {
    const point = this.points.get(id);
    if (!point) return undefined;
    const some = (all: Json, names: string[]) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
    return {
      id,
      payload: Array.isArray(with_payload)
        ? some(point.payload, with_payload)
        : with_payload && point.payload,
      vector: Array.isArray(with_vector) ? some(point.vector, with_vector) : with_vector && point.vector,
    };
  }

  #scroll({ filter, limit, offset = "" }: Json): Json {
    const points = this.#matching(filter)
      .filter(({ id }) => id >= offset)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    return { points: points.slice(0, limit), next_page_offset: points[limit]?.id ?? null };
  }
}

export function failure(status: number, error: string): Response {
  return Response.json({ status: { error }, time: 0.001 }, { status });
}
