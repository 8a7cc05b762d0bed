// The desk's own script. It builds nodes and texts, never markup from data.
const $ = (id) => document.getElementById(id);

function node(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** `words` says for people what has happened; without it the call is only looking. */
async function call(method, path, body, words) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const value = text === '' ? undefined : parsed(text);
  if (words !== undefined) show(method, path, response.status, value, words);
  return value;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function show(method, path, status, value, words) {
  $('asked').textContent = `${method} ${path}: ${status}`;
  $('asked').className = status < 400 ? 'good' : 'bad';
  $('body').textContent = value === undefined ? '' : JSON.stringify(value, null, 2);
  $('said').textContent = status < 400 ? words : `That was refused: ${value?.error ?? status}`;
  $('said').className = status < 400 ? 'said quiet' : 'said bad';
}

const number = (value) =>
  value.toLocaleString('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const day = (text) =>
  new Date(`${text}T00:00:00Z`).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  });
const time = (at) => new Date(at).toLocaleTimeString('en-GB');

function row(score) {
  const line = node('tr');
  const name = node('td', score.name);
  name.append(node('span', score.tenant, 'quiet small'));
  const consent = node('td', score.consent ? 'granted' : 'withdrawn', score.consent ? '' : 'bad');
  const play = node('td');
  const buttons = node('div', undefined, 'buttons');
  const next = `Type: sync ${score.tenant.split('.')[0]}`;
  const acts = [
    ['Drop 15', 'score', { drop: 15 }, `${score.name} fell by 15 points. ${next}`],
    ['Recover', 'score', { recover: true }, `${score.name} has its lost points back. ${next}`],
    ['Max +10', 'score', { max: 10 }, `Microsoft moved the maximum of ${score.name} by +10 points. ${next}`],
    ['Licences −5', 'score', { licences: -5 }, `${score.name} has 5 licensed users fewer. ${next}`],
    score.consent
      ? ['Withdraw', 'consent', { revoke: true }, `${score.name} withdrew its consent. ${next}`]
      : ['Grant', 'consent', { grant: score.usual }, `${score.name} gave its consent again. ${next}`],
  ];
  for (const [words, what, body, done] of acts) {
    const button = node('button', words);
    button.type = 'button';
    button.setAttribute('aria-label', `${words}, ${score.name}`);
    button.addEventListener('click', () =>
      act('POST', `/_sandbox/tenants/${score.tenant}/${what}`, body, done),
    );
    buttons.append(button);
  }
  play.append(buttons);
  line.append(
    name,
    node('td', day(score.day), 'number'),
    node('td', score.percent === null ? '–' : `${number(score.percent)}\u2009%`, 'number'),
    node('td', `${number(score.current)} of ${number(score.max)}`, 'number'),
    consent,
    play,
  );
  return line;
}

function posted(post) {
  const words = { create: 'posted', update: 'updated', delete: 'deleted' }[post.kind];
  const item = node('li');
  item.append(
    node('b', post.activity?.type === 'typing' ? 'typing' : words),
    node(
      'span',
      ` ${time(post.at)}${post.targeted ? ' · private' : ''}${post.status >= 400 || post.status === 0 ? ` · told ${post.status}` : ''}`,
      'quiet small',
    ),
    node('div', textOf(post.activity)),
    node('div', post.conversation, 'quiet small'),
  );
  return item;
}

function textOf(activity) {
  if (!activity) return '';
  const card = activity.attachments?.[0]?.content;
  return activity.text || activity.summary || card?.fallbackText || (card ? 'a card' : '');
}

function requested(one) {
  const item = node('li');
  item.append(
    node('span', String(one.status), one.status >= 400 || one.status === 0 ? 'bad' : 'good'),
    node('span', ` ${one.method} ${one.host}${one.path.slice(0, 120)}${one.path.length > 120 ? '…' : ''}`),
    node('span', ` · ${time(one.at)} · ${one.ms} ms`, 'quiet'),
  );
  return item;
}

function fault(one) {
  const { id: _id, ...rest } = one;
  return node('li', JSON.stringify(rest));
}

function fill(list, items, empty) {
  list.replaceChildren(...(items.length > 0 ? items : [node('li', empty, 'quiet')]));
}

const last = {};
function changed(name, value) {
  const text = JSON.stringify(value);
  if (last[name] === text) return false;
  last[name] = text;
  return true;
}

/** Only what has changed is drawn again: the focus stays where it is. */
async function refresh() {
  const [scores, posts, requests, faults] = await Promise.all([
    call('GET', '/_sandbox/scores'),
    call('GET', '/_sandbox/posts?limit=8'),
    call('GET', '/_sandbox/requests?limit=12'),
    call('GET', '/_sandbox/faults'),
  ]);
  if (changed('scores', scores)) $('rows').replaceChildren(...scores.map(row));
  if (changed('posts', posts)) fill($('posted'), posts.toReversed().map(posted), 'Nothing yet.');
  if (changed('requests', requests))
    fill($('requested'), requests.toReversed().map(requested), 'Nothing yet.');
  if (changed('faults', faults)) $('faults').replaceChildren(...faults.map(fault));
}

async function act(method, path, body, words) {
  await call(method, path, body, words);
  await refresh();
}

for (const button of document.querySelectorAll('[data-now]')) {
  const [method, path, ...rest] = button.dataset.now.split(' ');
  const body = rest.length > 0 ? JSON.parse(rest.join(' ')) : undefined;
  button.addEventListener('click', () => act(method, path, body, button.dataset.done));
}
for (const form of document.querySelectorAll('form[data-call]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const [method, pattern] = form.dataset.call.split(' ');
    const path = pattern.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(form.elements[name].value));
    const body = {};
    for (const field of form.elements) {
      if (!field.name || field.value === '' || pattern.includes(`{${field.name}}`)) continue;
      // A choice among things to switch on: its value is the name.
      if ('flag' in field.dataset) body[field.value] = true;
      else body[field.name] = 'number' in field.dataset ? Number(field.value) : field.value;
    }
    if (path === '/relay/api/messages') body.from = { aadObjectId: body.from };
    const words = form.dataset.done.replace(/\{(\w+)\}/g, (_, name) => form.elements[name]?.value ?? '');
    await act(method, path, body, words);
  });
}

async function forever() {
  try {
    await refresh();
  } catch {
    $('said').textContent = 'The sandbox does not answer.';
    $('said').className = 'said bad';
  }
  setTimeout(forever, document.hidden ? 10_000 : 2_000);
}
forever();
