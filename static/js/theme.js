// Loaded before the first paint: the remembered theme, or the system's.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const apply = () => {
    const theme = remembered();
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    root.dataset.shade = root.dataset.theme || (system.matches ? "dark" : "light");
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-toggle-theme]")) return;
    try {
      localStorage.setItem("theme", root.dataset.shade === "dark" ? "light" : "dark");
    } catch {
      // Storage is off: the choice cannot be remembered.
    }
    apply();
  });
})();
