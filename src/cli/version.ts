/** This build's version, from the package. */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string };

/** As in `0.1.0`. */
export const version = manifest.version;
