/**
 * An AbortController that is made when somebody asks for its signal: an AbortSignal is among the dearest objects of
 * Node, and most requests never need one.
 */
export class LazyAbort {
  #controller: AbortController | null = null;
  #isAborted = false;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}
