import { Button } from '@fluentui/react-components';
import { type FormEvent, useState } from 'react';
import { isTyped } from '../shared/tenants/shown-name.ts';
import { listed } from '../shared/words.ts';
import type { Api } from './api.ts';
import { Field } from './Field.tsx';
import { Modal } from './Modal.tsx';
import { navigate } from './navigation.ts';
import { hrefOf, overview } from './route.ts';
import { forgetLoads } from './use-load.ts';
import { asApiError } from './use-me.ts';

type Going = { running: boolean; problem: string | null; deleted: string[] | null };

/** Takes a tenant out of Watchpost, after its name was typed; says what went. */
export function Remove(props: {
  api: Api;
  tenant: { id: string; name: string; domain: string };
  close: () => void;
}) {
  const { api, tenant } = props;
  const [typed, setTyped] = useState('');
  const [going, setGoing] = useState<Going>({ running: false, problem: null, deleted: null });
  const matches = [tenant.name, tenant.domain].some((one) => isTyped(one, typed));

  const remove = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!matches || going.running) return;
    setGoing({ running: true, problem: null, deleted: null });
    try {
      const { deleted } = await api.remove(tenant.id, { name: typed });
      forgetLoads();
      setGoing({ running: false, problem: null, deleted });
    } catch (error) {
      const { kind, message } = asApiError(error);
      // Somebody else was first: what was wanted is so.
      if (kind === 'not-found') setGoing({ running: false, problem: null, deleted: [] });
      else setGoing({ running: false, problem: message, deleted: null });
    }
  };
  const leave = (): void => {
    props.close();
    if (going.deleted !== null) navigate(hrefOf(overview), 'replace');
  };

  return (
    <Modal
      title={going.deleted === null ? `Remove ${tenant.name}` : `${tenant.name} is removed`}
      busy={going.running}
      close={leave}
    >
      {going.deleted !== null ? (
        <div className="form">
          <p role="status">
            {going.deleted.length === 0
              ? 'Somebody else had removed it already.'
              : `Deleted: ${listed(going.deleted)}. The application in the tenant itself is not touched: whoever runs the tenant can delete it there.`}
          </p>
          <footer className="modal-foot">
            <Button appearance="primary" onClick={leave}>
              Show the tenants
            </Button>
          </footer>
        </div>
      ) : (
        <form className="form" method="post" onSubmit={(event) => void remove(event)}>
          <p>
            Its credential, all scores and their history, and what channels hear of it are deleted; cards that
            were posted stay where they are. This cannot be undone; Microsoft gives back 90 days of scores
            when it is connected again.
          </p>
          <Field
            label={`Type ${tenant.name} to remove it`}
            hint={`Or its domain, ${tenant.domain}.`}
            most={300}
            value={typed}
            change={setTyped}
          />
          {going.problem !== null && (
            <p role="alert" className="worse">
              {going.problem}
            </p>
          )}
          <footer className="modal-foot">
            <Button onClick={props.close} disabledFocusable={going.running}>
              Keep it
            </Button>
            <Button type="submit" appearance="primary" disabledFocusable={!matches || going.running}>
              {going.running ? 'Removing …' : 'Remove'}
            </Button>
          </footer>
        </form>
      )}
    </Modal>
  );
}
