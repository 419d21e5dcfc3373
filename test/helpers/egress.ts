import { type Destination, parseDestination } from '#relay/egress/destination.js';
import { type Network, parseNetwork } from '#relay/egress/network.js';
import { type EgressPolicy } from '#relay/egress/policy.js';

/** The default settings' policy, with what a test changes. */
export function policy(
  changes: Partial<Omit<EgressPolicy, 'allowNetworks'>> & { readonly allowNetworks?: readonly string[] } = {},
): EgressPolicy {
  const { allowNetworks = [], ...others } = changes;
  return { allowHttp: false, allowDestinations: [], ...others, allowNetworks: allowNetworks.map(network) };
}

export function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`${text} is no network`);
  return parsed;
}

export function destination(uri: string): Destination {
  const parsed = parseDestination(uri);
  if (!parsed.ok) throw new Error(`${uri} ${parsed.reason}`);
  return parsed.destination;
}
