import type { CategoryScore } from '../shared/score/score.ts';
import { decimal, percentText } from '../shared/words.ts';
import { Bar } from './parts.tsx';

/** Points by Microsoft's categories, as bars with their numbers. */
export function Categories({ categories }: { categories: readonly CategoryScore[] }) {
  return (
    <section className="card">
      <h2>Categories</h2>
      {categories.length === 0 ? (
        <p className="caption">Microsoft sent no controls with this score.</p>
      ) : (
        <ul className="categories">
          {categories.map(({ category, current, max }) => (
            <li key={category}>
              <span>{category}</span>
              {max === null ? (
                <span className="caption number wide">{decimal(current)} points, maximum not read</span>
              ) : (
                <>
                  <Bar value={current} max={max} />
                  <span className="caption number">
                    {percentText(max > 0 ? (current / max) * 100 : null)}
                  </span>
                  <span className="caption number">
                    {decimal(current)} / {decimal(max)}
                  </span>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
