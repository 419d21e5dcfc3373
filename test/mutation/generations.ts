import type { ResolveHook } from 'node:module';

/**
 * A module of the project that is imported with a query hands it on to all that it imports: so a process can load the
 * project anew, as it is by then, without loading anew what it stands on.
 */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context);
  const query = context.parentURL?.startsWith('file:') === true ? new URL(context.parentURL).search : '';
  const isOurs = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/');
  return isOurs && query !== '' ? { ...resolved, url: `${resolved.url}${query}` } : resolved;
};
