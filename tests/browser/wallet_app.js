// A wallet app as pages meet it: an EIP-1193 provider that announces itself by EIP-6963. Its answers come from the test.
(() => {
  const listeners = {};
  const provider = {
    async request({ method, params }) {
      const answer = JSON.parse(await window.walletAsked(method, JSON.stringify(params ?? [])));
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      return answer.result;
    },
    on(name, listener) { (listeners[name] ??= []).push(listener); },
    removeListener() {},
  };
  window.walletTells = (name, told) => (listeners[name] ?? []).forEach((listener) => listener(told));
  const info = Object.freeze({ uuid: "1d8c2c5e-0000-4000-8000-000000000001", name: "Test App", rdns: "example.test.app", icon: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>" });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
