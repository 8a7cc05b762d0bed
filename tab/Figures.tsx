import type { TenantFigures, TenantFilter } from '../shared/api.ts';
import { counted, percentText } from '../shared/words.ts';

/** Four numbers that answer "how good, which way, where must I look"; each shows its tenants in the table below. */
export function Figures(props: {
  figures: TenantFigures;
  show: TenantFilter;
  choose: (filter: TenantFilter) => void;
}) {
  const { figures, show, choose } = props;
  const { aboveSize } = figures;
  return (
    <ul className="figures" aria-label="In short">
      <Figure
        label="Median score"
        value={percentText(figures.median)}
        caption={
          aboveSize.of > 0
            ? `${aboveSize.above} of ${aboveSize.of} above tenants of their size`
            : `of ${counted(figures.scored, 'tenant')} with a score`
        }
        onPress={() => choose('all')}
      />
      <Figure
        label="Fell in 1 day"
        value={String(figures.fell.count)}
        tone={figures.fell.count > 0 ? 'worse' : undefined}
        caption={named(figures.fell, 'No tenant fell')}
        pressed={show === 'fell'}
        onPress={() => choose(show === 'fell' ? 'all' : 'fell')}
      />
      <Figure
        label="Needs attention"
        value={String(figures.attention.count)}
        tone={figures.attention.count > 0 ? 'worse' : undefined}
        caption={named(figures.attention, 'No fall, all read on time')}
        pressed={show === 'attention'}
        onPress={() => choose(show === 'attention' ? 'all' : 'attention')}
      />
      <Figure
        label="Blind spots"
        value={String(figures.blind.count)}
        tone={figures.blind.count > 0 ? 'attention' : undefined}
        caption={named(figures.blind, 'Everything is read')}
        pressed={show === 'blind'}
        onPress={() => choose(show === 'blind' ? 'all' : 'blind')}
      />
    </ul>
  );
}

function Figure(props: {
  label: string;
  value: string;
  caption: string;
  tone?: 'worse' | 'attention' | undefined;
  /** Absent: it shows everything again and is no switch. */
  pressed?: boolean;
  onPress: () => void;
}) {
  return (
    <li>
      <button type="button" className="figure" aria-pressed={props.pressed} onClick={props.onPress}>
        <span className="label">{props.label}</span>
        <span className={`value ${props.tone ?? ''}`}>{props.value}</span>
        <span className="label">{props.caption}</span>
      </button>
    </li>
  );
}

function named(those: { count: number; names: string[] }, none: string): string {
  if (those.count === 0) return none;
  const more = those.count - those.names.length;
  return more > 0 ? `${those.names.join(', ')} and ${more} more` : those.names.join(', ');
}
