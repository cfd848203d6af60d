// The form for a file of votes: shows how much of the file has been sent. Without this script the browser sends it.

function follow(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = document.getElementById("vote-upload");
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => { bar.value = total ? loaded / total : 0; });
    request.addEventListener("load", () => {
      // The answer is the page of the import, or this page with what is wrong.
      const answer = new DOMParser().parseFromString(request.responseText, "text/html").getElementById(form.id);
      if (!answer) { location.assign(request.responseURL); return; }
      form.replaceWith(answer);
      follow(answer);
      answer.querySelector(".notice")?.scrollIntoView({ block: "nearest" });
    });
    // Then the browser's own page says what is wrong with the connection.
    request.addEventListener("error", () => form.submit());
    request.open("POST", location.href);
    bar.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  });
}

follow(document.getElementById("vote-import-form"));
