/**
 * HAProxy as an operator sets it before language models: least connections, `maxconn` and its queue, checks, and failed
 * requests repeated at another server (which by default it does for refused connections alone).
 */
import type { ProxyProgram } from "./proxy.ts";

export const haproxy: ProxyProgram = {
  name: "haproxy",
  args: (config_path) => ["-db", "-f", config_path],
  config: ({ port, servers, slots }) => `
global
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout queue 60s
  timeout check 1s
  retries 3
  option redispatch 1
  retry-on all-retryable-errors
frontend questions
  bind 127.0.0.1:${port}
  default_backend replicas
backend replicas
  balance leastconn
  option httpchk GET /health
  http-check expect status 200
  default-server check inter 1s fall 3 rise 2 maxconn ${slots}
${servers.map((server, i) => `  server replica${i + 1} ${server}`).join("\n")}
`,
};
