/** All game days, by name. */
import { clientDays } from './clients.ts';
import type { GameDay } from './gameday.ts';
import { memberDays } from './members.ts';
import { networkDays } from './network.ts';
import { storageDays } from './storage.ts';

export const gameDays: ReadonlyMap<string, GameDay> = new Map(
  [...memberDays, ...networkDays, ...storageDays, ...clientDays].map((each) => [each.name, each]),
);
