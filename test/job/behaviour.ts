import type { ExecutionContext } from 'ava';
import type { LocalRegistryOptions } from '#relay/job/local_registry.js';
import type { Subject } from '../helpers/registries.js';

/** Something that every implementation of `JobRegistry` does. */
export interface Behaviour {
  readonly name: string;
  /** Bounds under which it shows. */
  readonly options?: Partial<LocalRegistryOptions>;
  readonly run: (t: ExecutionContext, subject: Subject) => Promise<void>;
}
