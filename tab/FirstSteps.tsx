import { Button } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { TenantFigures } from '../shared/api.ts';
import { counted } from '../shared/words.ts';
import './companies.css';
import { navigate } from './navigation.ts';
import { Mark } from './parts.tsx';

/** What to do first, until the first company is connected: add, connect, and let the bot speak where people work. */
export function FirstSteps({ figures, connect }: { figures: TenantFigures; connect: () => void }) {
  const { tenants } = figures;
  const added = tenants > 0;
  return (
    <section className="card first-steps" aria-label="First steps">
      <h2>{added ? 'Now connect the first company' : 'Welcome to Watchpost'}</h2>
      <ol>
        <Step
          done={added}
          title="Add your companies"
          says={
            added
              ? `${counted(tenants, 'company is', 'companies are')} in the list.`
              : 'One by one, or as a list of names and domains.'
          }
        >
          <Button appearance={added ? 'secondary' : 'primary'} onClick={() => navigate('/tab/add')}>
            {added ? 'Add more' : 'Add companies'}
          </Button>
        </Step>
        <Step
          done={false}
          title="Connect them"
          says="An administrator of each agrees to what Watchpost reads: here, or by a link you send. A tenant with an app registration of its own is connected with that."
        >
          {added && (
            <Button appearance="primary" onClick={() => navigate('/tab/companies?state=not-connected')}>
              Connect companies
            </Button>
          )}
          <Button onClick={connect}>Connect with an app registration</Button>
        </Step>
        <Step
          done={false}
          title="Invite Watchpost where your people work"
          says="Add it to a channel in Teams and write “watch all”: from then on the channel hears when a score falls or a connection breaks. In a chat with it, “help” says what it answers."
        />
      </ol>
    </section>
  );
}

function Step(props: { done: boolean; title: string; says: string; children?: ReactNode }) {
  return (
    <li>
      <Mark kind={props.done ? 'good' : 'waiting'} />
      <div className="step-text">
        <b>
          {props.title}
          {props.done && <span className="sr"> (done)</span>}
        </b>
        <span className="muted">{props.says}</span>
        {props.children !== undefined && <span className="buttons">{props.children}</span>}
      </div>
    </li>
  );
}
