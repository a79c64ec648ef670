// The form of a channel: languages are put in order with the two arrows beside each.

for (const list of document.querySelectorAll("[data-order]")) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const item = button.closest("li");
    if ("up" in button.dataset) item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    button.focus();
  });
}
