import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const RUNTIMES = { "ort.wasm": "ort-wasm-simd-threaded.wasm", "ort-gpu.wasm": "ort-wasm-simd-threaded.asyncify.wasm" };
const LATER = /(gpu|asyncify|vivid|repair|\.map)/; // files that not everybody needs

/** ONNX Runtime in gzip beside the models, which `srez web build` puts there: no server need compress them. */
function pack(): void {
  mkdirSync("packed", { recursive: true });
  for (const [name, file] of Object.entries(RUNTIMES)) {
    const path = fileURLToPath(import.meta.resolve(`onnxruntime-web/${file}`));
    writeFileSync(`packed/${name}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

/** Tells the service worker which files to keep, once they are all there. */
function listFiles(): Plugin {
  let out = "";
  return {
    name: "list-files",
    apply: "build",
    configResolved: (config) => void (out = config.build.outDir),
    closeBundle() {
      const files = readdirSync(out, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== "sw.js" && !LATER.test(entry.name))
        .map((entry) => `${entry.parentPath}/${entry.name}`.slice(out.length + 1))
        .sort();
      const version = createHash("sha256");
      for (const file of files) version.update(file).update(readFileSync(`${out}/${file}`));
      const worker = readFileSync(`${out}/sw.js`, "utf8");
      const list = JSON.stringify(files.map((file) => (file === "index.html" ? "./" : file)));
      writeFileSync(
        `${out}/sw.js`,
        worker.replace("__FILES__", list).replace("__VERSION__", JSON.stringify(version.digest("hex").slice(0, 16))),
      );
    },
  };
}

export default defineConfig(({ command }) => {
  if (command === "build") pack();
  return {
    base: "./",
    resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser"] },
    worker: { format: "es" },
    plugins: [listFiles()],
    build: {
      target: "es2022",
      assetsInlineLimit: 0, // the policy lets no data: in
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1000,
      rolldownOptions: {
        input: { index: "index.html", sw: "src/sw.ts" },
        output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
      },
    },
  };
});
