import { tellOpener } from './popup.ts';

/** The script of the server's own pages at the end of a consent: what they say is in the page already. */
const { outcome, says = '' } = document.body.dataset;
if (outcome === 'connected' || outcome === 'failed') void tellOpener({ kind: outcome, says });
