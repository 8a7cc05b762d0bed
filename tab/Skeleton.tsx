import { TableHead } from './TenantTable.tsx';

/** The frames of both pages, of the same size as what will stand there. */
export function OverviewFrame() {
  return (
    <main className="overview" aria-busy="true">
      <header className="head">
        <div className="titles">
          <h1>Tenants</h1>
          <span className="caption" role="status">
            Loading …
          </span>
        </div>
        <span className="search bone" />
      </header>
      <ul className="figures" aria-hidden="true">
        {['a', 'b', 'c', 'd'].map((one) => (
          <li key={one}>
            <span className="figure">
              <span className="label bone short" />
              <span className="value bone short" />
              <span className="label bone" />
            </span>
          </li>
        ))}
      </ul>
      <div className="chips" aria-hidden="true">
        <span className="chip bone" />
      </div>
      <div className="narrow" aria-hidden="true">
        <span className="bone short" />
      </div>
      <section className="card table-card" aria-hidden="true">
        <table className="tenants">
          <TableHead />
          <tbody>
            {['a', 'b', 'c', 'd', 'e'].map((one) => (
              <tr key={one} className="frame-row">
                <td className="name">
                  <span className="bone" />
                  <span className="caption bone short" />
                </td>
                <td className="number score">
                  <span className="bone short" />
                </td>
                <td className="spark-cell">
                  <span className="bone" />
                </td>
                <td className="number day">
                  <span className="bone short" />
                </td>
                <td className="number month">
                  <span className="bone short" />
                </td>
                <td className="health-cell">
                  <span className="bone" />
                </td>
                <td className="read">
                  <span className="bone" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </main>
  );
}

export function TenantFrame() {
  return (
    <main className="tenant" aria-busy="true">
      <header className="head">
        <div className="titles">
          <h1>Tenant</h1>
          <span className="caption" role="status">
            Loading …
          </span>
        </div>
      </header>
      <div className="panels" aria-hidden="true">
        <section className="card score-card">
          <span className="big bone short" />
          <span className="chart bone" />
        </section>
        <section className="card side">
          <span className="bone short" />
          <span className="bone" />
          <span className="bone" />
          <span className="bone" />
        </section>
      </div>
      <section className="card table-card frame-actions" aria-hidden="true" />
    </main>
  );
}
