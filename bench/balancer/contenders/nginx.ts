/**
 * nginx as an operator sets it: least connections, failed requests repeated at another server, one that fails left out
 * for a while. Its checks are these, passive ones: active ones, and a queue behind a limit of connections, are in its
 * commercial version only. So there is no limit: beyond it, nginx would answer 502.
 */
import type { ProxyProgram } from "./proxy.ts";

export const nginx: ProxyProgram = {
  name: "nginx",
  args: (config_path, directory) => ["-p", directory, "-c", config_path, "-e", "stderr"],
  config: ({ port, servers, directory }) => `
daemon off;
worker_processes 1;
pid ${directory}/pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream replicas {
    least_conn;
${servers.map((server) => `    server ${server} max_fails=3 fail_timeout=10s;`).join("\n")}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://replicas;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_connect_timeout 1s;
      proxy_read_timeout 60s;
      proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504 non_idempotent;
      proxy_next_upstream_tries 3;
    }
  }
}
`,
};
