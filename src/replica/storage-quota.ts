/**
 * The soft limit of stored bytes: beyond it a member raises the NOSPACE alarm, under which the
 * cluster takes only what makes room; well below it, it lifts its alarm again by itself.
 */

/** What is to be done about the alarm. */
export type QuotaAction = 'raise' | 'lift' | 'none';

/** Share of the quota below which the alarm is lifted: far enough not to flap. */
const liftShare = 0.9;
/** Share from which on history that only its number keeps makes room. */
const nearShare = 0.75;

/** Decides by the size of the stored state and whether this member's alarm is active. */
export function quotaAction(sizeBytes: number, quotaBytes: number, isRaised: boolean): QuotaAction {
  if (!isRaised && sizeBytes > quotaBytes) {
    return 'raise';
  }
  return isRaised && sizeBytes < quotaBytes * liftShare ? 'lift' : 'none';
}

/** Whether the stored state comes so near to its quota that less history should be kept. */
export function isNearQuota(sizeBytes: number, quotaBytes: number): boolean {
  return sizeBytes > quotaBytes * nearShare;
}
