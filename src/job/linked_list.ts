/** A place in a list: hold it to remove the value later, in constant time. */
export interface Node<Value> {
  readonly value: Value;
  previous: Node<Value> | undefined;
  next: Node<Value> | undefined;
  list: LinkedList<Value> | undefined;
}

/**
 * A doubly linked list. A `Map` or `Set` keeps order too, but taking from the front of a large one walks over the
 * holes that earlier removals left, which makes long queues quadratic.
 */
export class LinkedList<Value> {
  #first: Node<Value> | undefined;
  #last: Node<Value> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Node<Value> | undefined {
    return this.#first;
  }

  push(value: Value): Node<Value> {
    const node: Node<Value> = { value, previous: this.#last, next: undefined, list: this };
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size += 1;
    return node;
  }

  unshift(value: Value): Node<Value> {
    const node: Node<Value> = { value, previous: undefined, next: this.#first, list: this };
    if (this.#first === undefined) this.#last = node;
    else this.#first.previous = node;
    this.#first = node;
    this.#size += 1;
    return node;
  }

  /** Takes the first value out. */
  shift(): Value | undefined {
    const node = this.#first;
    if (node !== undefined) this.remove(node);
    return node?.value;
  }

  /** Removes a node; one that has left this list already is ignored. */
  remove(node: Node<Value>): void {
    if (node.list !== this) return;
    if (node.previous === undefined) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.previous = undefined;
    node.next = undefined;
    node.list = undefined;
    this.#size -= 1;
  }
}
