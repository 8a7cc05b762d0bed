import { readFileSync } from 'node:fs';
import { demoPeople } from '../../bot/cast.ts';
import type { Answer, Call } from './http.ts';
import { escapeHtml, page } from './page.ts';
import type { State } from './state.ts';

export type Desk = { answer(call: Call): Answer | undefined };

const script = readFileSync(new URL('./desk.client.js', import.meta.url), 'utf8');

/** The page at `/`: a button for each control call, so that a stranger can play Microsoft with the mouse. */
export function openDesk(state: State, places: () => { chat: string | null; tab: string | null }): Desk {
  return {
    answer(call) {
      if (call.path !== '/' || call.method !== 'GET') return undefined;
      const { chat, tab } = places();
      const links = [
        chat === null ? '' : `<a href="${escapeHtml(chat)}">Chat</a>`,
        tab === null ? '' : `<a href="${escapeHtml(tab)}">Tab</a>`,
        '<a href="/_sandbox">All calls</a>',
      ];
      return page({ title: 'Desk', kind: 'wide', script, body: body(state, links.join('')) });
    },
  };
}

function body(state: State, links: string): string {
  const tenants = state.tenants
    .map((tenant) => `<option value="${escapeHtml(tenant.domain)}">${escapeHtml(tenant.name)}</option>`)
    .join('');
  const apps = state.tenants
    .map((tenant) => `<option value="${tenant.app.appId}">${escapeHtml(tenant.name)}</option>`)
    .join('');
  const people = demoPeople
    .map(
      (person) =>
        `<option value="${person.oid}">${escapeHtml(person.name)}, ${person.role ?? 'no role'}</option>`,
    )
    .join('');
  return `<header class="top"><h1>Desk</h1><span class="quiet">You are Microsoft. Everything here stays on this machine.</span><nav>${links}</nav></header>
<main class="columns">
<section class="card across" aria-labelledby="tenants"><h2 id="tenants">Tenants</h2>
  <p class="quiet">Each button makes that tenant's next day at once; Watchpost sees it with its next sync.</p>
  <div class="strip"><table><thead><tr><th scope="col">Tenant</th><th scope="col" class="number">Day</th><th scope="col" class="number">Score</th><th scope="col" class="number">Points</th><th scope="col">Consent</th><th scope="col">Play</th></tr></thead>
  <tbody id="rows"></tbody></table></div>
  <p class="said" id="said" role="status"></p>
</section>

<section class="card"><h2>Calendar and tenants</h2><p class="quiet">A day for everyone, or somebody new.</p>
  <form data-call="POST /_sandbox/tenants" data-done="{name} is there. In a terminal: npm run watchpost -- connect {domain}"><div class="fields">
    <label>Name<input name="name" required maxlength="256" placeholder="Tailspin Toys"></label>
    <label>Domain<input name="domain" required maxlength="253" placeholder="tailspintoys.com"></label></div>
    <div class="buttons"><button class="main">Add tenant</button><button type="button" data-now='POST /_sandbox/clock {"advance":"1d"}' data-done="It is a day later for every tenant. Type: sync all">Next day for all</button></div></form>
</section>

<section class="card"><h2>App registrations</h2><p class="quiet">What an administrator does under <i>Certificates &amp; secrets</i>: paste the certificate that Watchpost made.</p>
  <form data-call="POST /_sandbox/apps/{app}/certificates" data-done="Entra takes the certificate. In the tab: Test."><div class="fields">
    <label>Application of<select name="app">${apps}</select></label>
    <label>Known after (ms)<input name="acceptAfterMs" data-number inputmode="numeric" pattern="[0-9]*"></label></div>
    <label>Certificate (PEM)<textarea name="certificate" required rows="3" maxlength="20000" spellcheck="false" placeholder="-----BEGIN CERTIFICATE-----"></textarea></label>
    <div class="buttons"><button class="main">Upload certificate</button></div></form>
</section>

<section class="card"><h2>Faults</h2><p class="quiet">What goes wrong at Microsoft, on order. Without a number it goes on until you end it.</p>
  <form data-call="POST /_sandbox/faults" data-done="The fault is on: whoever asks there meets it."><div class="fields">
    <label>Where<select name="path"><option value="/security/secureScores">Secure Score</option><option value="/security">All of security</option><option value="/">Everything</option><option value="/oauth2/v2.0/token">Tokens (Entra)</option><option value="/v3/conversations">Posts to Teams</option></select></label>
    <label>Tenant<select name="tenant"><option value="">every tenant</option>${tenants}</select></label>
    <label>Answer<select name="status" data-number><option value="429">429 too many requests</option><option value="403">403 no permission</option><option value="503">503 not available</option><option value="500">500 error</option><option value="">as usual</option></select></label>
    <label>Body<select name="body" data-flag><option value="">whole</option><option value="html">HTML page</option><option value="truncate">truncated</option></select></label>
    <label>Wait (ms)<input name="delayMs" data-number inputmode="numeric" pattern="[0-9]*"></label>
    <label>Retry-After (s)<input name="retryAfter" data-number inputmode="numeric" pattern="[0-9]*"></label>
    <label>Times<input name="times" data-number inputmode="numeric" pattern="[0-9]*"></label></div>
    <div class="buttons"><button class="main">Start fault</button><button type="button" data-now="DELETE /_sandbox/faults" data-done="All faults have ended.">End all faults</button></div></form>
  <ul class="list small" id="faults"></ul>
</section>

<section class="card"><h2>Say something</h2><p class="quiet">To the bot, as one of the five, with a token of the Bot Framework.</p>
  <form data-call="POST /relay/api/messages" data-done="It was said. The answer is under Posted last."><div class="fields">
    <label>Person<select name="from">${people}</select></label>
    <label>Text<input name="text" required value="/score contoso"></label></div>
    <div class="buttons"><button class="main">Send</button></div></form>
</section>

<section class="card"><h2>Tokens and keys</h2><p class="quiet">As Entra or the Bot Framework would sign them, rightly or not.</p>
  <form data-call="POST /_sandbox/tokens" data-done="The token is in the last answer."><div class="fields">
    <label>For<select name="for"><option value="tab">the tab</option><option value="bot">the bot</option><option value="app">Graph</option></select></label>
    <label>Person<select name="person">${people}</select></label>
    <label>Signature<select name="sign"><option value="right">right</option><option value="wrong">wrong</option><option value="none">none</option></select></label></div>
    <div class="buttons"><button class="main">Make token</button>
    <button type="button" data-now='POST /_sandbox/keys/rotate {"for":"entra"}' data-done="Entra signs with a new key from now on.">Rotate Entra's key</button>
    <button type="button" data-now='POST /_sandbox/keys/rotate {"for":"bot"}' data-done="The Bot Framework signs with a new key from now on.">Rotate the bot key</button>
    <button type="button" data-now='POST /_sandbox/limits {"off":true}' data-done="Microsoft's limits are lifted.">Lift limits</button>
    <button type="button" data-now='POST /_sandbox/limits {"off":false}' data-done="Microsoft's limits are kept again.">Keep limits</button></div></form>
</section>

<section class="card across" aria-labelledby="answer"><h2 id="answer">Last answer</h2><p class="quiet" id="asked">Nothing was asked yet.</p><pre id="body" tabindex="0" aria-label="Body of the last answer"></pre></section>

<section class="card" aria-labelledby="posts"><h2 id="posts">Posted last</h2><p class="quiet">What Teams would now show.</p><ul class="list" id="posted"></ul></section>
<section class="card" aria-labelledby="asks"><h2 id="asks">Asked last</h2><p class="quiet">Of Graph, Entra and Teams.</p><ul class="list small" id="requested"></ul></section>
</main>`;
}
