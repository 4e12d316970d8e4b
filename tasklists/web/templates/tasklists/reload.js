// Loads the page again if files of it are missing. During an upgrade, the page of a new pod may ask
// an old one for them, which doesn't have those of its successor. Inside of the page and not a module,
// because a file could be missing itself, and modules run only if all of them are there.

addEventListener("load", () => {
  const attempts = Number(sessionStorage.getItem("attempts"));
  const styled = getComputedStyle(document.body).getPropertyValue("--paper");
  if (styled && "started" in document.body.dataset) {
    sessionStorage.removeItem("attempts");
  } else if (attempts < 60) {
    sessionStorage.setItem("attempts", attempts + 1);
    setTimeout(() => location.reload(), 1000);
  }
});
