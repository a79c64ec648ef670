// What the server says about this page: channel, languages, limits, where the static files are.
export const about = JSON.parse(document.getElementById("about").textContent);
