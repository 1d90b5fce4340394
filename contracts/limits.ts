/** Bounds that both sides of a contract must agree on. */

/** Dimensions of an embedding: the size of all-MiniLM-L6-v2's output. */
export const EMBEDDING_DIMENSIONS = 384;

/** Longest question, in UTF-16 code units. */
export const MAX_QUERY_CHARS = 8_192;

/** Most sources a question may ask for, and how many it gets when it does not say. */
export const MAX_TOP_K = 50;
export const DEFAULT_TOP_K = 5;

/** Largest body of an HTTP request, in bytes. */
export const MAX_BODY_BYTES = 256 * 1024;

/** How long a completion stays readable after its job is done, in seconds. */
export const COMPLETION_TTL_SECONDS = 60;

/** How long the tokens of an answer stay readable after the last of them, in seconds. */
export const TOKENS_TTL_SECONDS = 60;

/** Entries kept in the stream that wakes a gateway for tokens; one that is further behind looks at all of its jobs. */
export const MAX_TOKEN_WAKES = 1_000;

/** Dead letters kept per queue; the oldest beyond it are logged and dropped. */
export const MAX_DEAD_LETTERS = 10_000;

/** Whose documents and questions are those of which nothing else is said. */
export const DEFAULT_TENANT = "default";
