/** The built page on a server of its own that sets no headers, as the plainest of hosts does. */

import { createServer, type Server } from "node:http";
import { createReadStream, statSync } from "node:fs";
import { extname, join } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
  ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json", ".gz": "application/gzip",
};

/** A server, what it has sent, and how to stop it. */
export interface Site {
  url: string;
  sent: { path: string; bytes: number }[];
  stop: () => Promise<void>;
}

export async function serve(folder: string): Promise<Site> {
  const sent: Site["sent"] = [];
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname.replace(/\/$/, "/index.html");
    const file = join(folder, path);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) return response.writeHead(404).end();
    sent.push({ path, bytes: size });
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Length": size });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://localhost:${port}/`,
    sent,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
