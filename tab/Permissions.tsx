import type { TenantPage } from '../shared/api.ts';
import { neverRead } from '../shared/tenants/permissions.ts';
import type { Instant } from '../shared/time.ts';
import { counted } from '../shared/words.ts';
import { Age } from './parts.tsx';

type Known = NonNullable<TenantPage['permissions']>;

/** What the application may read in this tenant, by its last token: what is missing, and what it has too much. */
export function Permissions({ permissions, now }: { permissions: TenantPage['permissions']; now: Instant }) {
  return (
    <div className="permissions">
      <h3>Permissions</h3>
      {permissions === null ? (
        <p className="caption">Not known yet: the next sync tells.</p>
      ) : (
        <>
          <p>
            {counted(permissions.granted.length, 'permission')} in use
            {permissions.missing.length > 0 && (
              <>
                , <span className="worse">{permissions.missing.length} missing</span>
              </>
            )}
            {permissions.excess.length > 0 && (
              <>
                , <span className="attention">{permissions.excess.length} not needed</span>
              </>
            )}
            .{' '}
            <span className="caption">
              By the token of <Age at={permissions.at} now={now} />.
            </span>
          </p>
          {permissions.missing.length > 0 && <Names title="Missing" all={permissions.missing} />}
          <details>
            <summary>All permissions</summary>
            <Names title="In use" all={permissions.granted} />
            <Names title="Not granted, optional" all={permissions.optional} />
            <Excess all={permissions.excess} />
          </details>
        </>
      )}
      <p className="caption">
        Watchpost never reads {neverRead.slice(0, -1).join(', ')} or {neverRead.at(-1)}.
      </p>
    </div>
  );
}

function Names({ title, all }: { title: string; all: Known['granted'] }) {
  if (all.length === 0) return null;
  return (
    <>
      <h4 className="caption">{title}</h4>
      <ul className="plain">
        {all.map(({ name, why }) => (
          <li key={name}>
            <code>{name}</code> <span className="caption">{why}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Excess({ all }: { all: readonly string[] }) {
  if (all.length === 0) return null;
  return (
    <>
      <h4 className="caption">
        Not needed: Watchpost uses none of these, and they can be taken away in Entra
      </h4>
      <ul className="plain">
        {all.map((name) => (
          <li key={name}>
            <code>{name}</code>
          </li>
        ))}
      </ul>
    </>
  );
}
