// A file that is written bit by bit. Where the browser can open one (Chromium), what is written goes
// straight into it; elsewhere into blobs, which the browser holds outside of the page and, as they
// grow, on the disk, and which become the file at the end.

const type = 'text/csv';

// {write(text), finish(), drop()}; null: the person chose none. Called within a click, since the browser
// asks where the file is to be.
export async function newFile(name) {
  if (window.showSaveFilePicker) {
    try {
      const chosen = await window.showSaveFilePicker({ suggestedName: name, types: [{ accept: { [type]: ['.csv'] } }] });
      const stream = await chosen.createWritable();
      return { write: (text) => stream.write(text), finish: () => stream.close(), drop: () => stream.abort() };
    } catch (error) {
      if (error.name === 'AbortError') return null;
    }
  }
  let parts = [];
  return {
    write(text) { parts.push(new Blob([text])); },
    finish() { handOver(new Blob(parts, { type }), name); },
    drop() { parts = []; },
  };
}

function handOver(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
