/** Pictures that come to the page: chosen, dropped, pasted, or of a whole folder. */

/** A file, and the path that its result gets. */
export interface Incoming {
  file: File;
  path: string;
}

/** Call `take` with all that comes. */
export function listen(drop: HTMLElement, inputs: HTMLInputElement[], take: (incoming: Incoming[]) => void): void {
  for (const input of inputs) {
    input.addEventListener("change", () => {
      take(pictures([...input.files!].map((file) => ({ file, path: file.webkitRelativePath || file.name }))));
      input.value = ""; // so that the same file may be chosen again
    });
  }
  document.addEventListener("paste", ({ clipboardData }) => {
    take([...clipboardData!.files].map((file) => ({ file, path: file.name })));
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(await dropped(event.dataTransfer!));
  });
}

/** Of a folder, only what is named like a picture; a file that was chosen itself gets a sentence instead. */
function pictures(incoming: Incoming[]): Incoming[] {
  return incoming.filter(({ file, path }) => !path.includes("/") || file.type.startsWith("image/"));
}

async function dropped(data: DataTransfer): Promise<Incoming[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry());
  const files = [...data.files];
  if (entries.some((entry) => entry === null)) return files.map((file) => ({ file, path: file.name }));
  return pictures((await Promise.all(entries.map((entry) => within(entry!)))).flat());
}

async function within(entry: FileSystemEntry): Promise<Incoming[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, path: entry.fullPath.slice(1) }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Incoming[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const each of some) found.push(...(await within(each)));
  }
}
