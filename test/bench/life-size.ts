import type { ControlScore, SecureScore, SecureScoreControlProfile } from '@microsoft/microsoft-graph-types';

/**
 * The sandbox's answers as large as Microsoft's own: 215 descriptions of controls in 299 KB, of which 148 are scored
 * in 44 KB a day. What the sandbox has is taken again under other names, with more steps to read.
 */
const described = 215;
const counted = 148;
const steps = Array.from(
  { length: 6 },
  (_, at) => `<li>Open setting ${at + 1}, read what it changes for whom, and confirm it.</li>`,
).join('');

export function lifeSizedProfiles(
  profiles: readonly SecureScoreControlProfile[],
): SecureScoreControlProfile[] {
  return Array.from({ length: described }, (_, at) => {
    const one = profiles[at % profiles.length] ?? {};
    const remediation = `${one.remediation ?? ''}<ol>${steps}</ol>`;
    return at < profiles.length
      ? { ...one, remediation }
      : { ...one, remediation, id: again(one.id, at), title: again(one.title, at) };
  });
}

export function lifeSizedScore(score: SecureScore): SecureScore {
  const controls: readonly ControlScore[] = score.controlScores ?? [];
  const more = Array.from({ length: Math.max(0, counted - controls.length) }, (_, i): ControlScore => {
    const at = controls.length + i;
    const one = controls[at % controls.length] ?? {};
    return { ...one, controlName: again(one.controlName, at) };
  });
  return { ...score, controlScores: [...controls, ...more] };
}

function again(name: string | null | undefined, at: number): string {
  return `${name ?? ''}_${at}`;
}
