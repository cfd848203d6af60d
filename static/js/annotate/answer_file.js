// Saves answers as a file on the person's device.

// The file has the bodies of the API requests, so that any program can send them.
export function saveAnswers(entries, name = "unsent-answers.json") {
  const answers = entries.map(({ url, body, at, refused }) => ({ url, given_at: at ? new Date(at).toISOString() : null, refused, body }));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ answers }, null, 2)], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
