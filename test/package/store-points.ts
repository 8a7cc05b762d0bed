/** One of the fifty points that Teams' store, or a careful administrator, looks at. */
export type Point = {
  n: number;
  /** What is asked, in our own words. */
  point: string;
  /** Tests elsewhere that prove it: the file below test/, then titles as they stand there. */
  proven?: Record<string, readonly string[]>;
  /** Has its line under "By eye" in docs/store-checklist.md. */
  byEye?: true;
  /** Part of it is not there: has its line under "Not there". */
  missing?: true;
};

/** The points in order. What is asserted beside these tests stands in store-holds.ts under the same number. */
export const points: readonly Point[] = [
  {
    n: 1,
    point: "both packages pass Microsoft's schema 1.30 without the network",
    proven: {
      'package/check.test.ts': [
        'may go to Teams with the values of a real operator',
        "may go to Teams with the demo's values",
        'the schema is read from the library, never from the network',
      ],
    },
  },
  {
    n: 2,
    point: 'no placeholder is left, ids are GUIDs and agree across files',
    proven: {
      'package/check.test.ts': ['a value that nobody gave is missed by its name'],
      'package/toolkit.test.ts': ['is known to Teams by the same address as in the manifest'],
    },
  },
  {
    n: 3,
    point: 'the zip holds manifest and icons at its root and nothing else',
    proven: { 'package/program.test.ts': ['without settings: the demo, and it says so'] },
  },
  {
    n: 4,
    point: 'icons of 192 and 32 pixels, the small one white on nothing',
    proven: { 'package/icons.test.ts': ['$name.png is what $name.svg draws'] },
    byEye: true,
  },
  { n: 5, point: 'names and short description within the rules for words' },
  { n: 6, point: 'the description tells what is needed, what it cannot do, and where help is' },
  {
    n: 7,
    point: 'website, privacy and terms are three https pages that load',
    proven: { 'package/pages.test.ts': ['$name is served and needs nothing that the policy forbids'] },
    byEye: true,
  },
  { n: 8, point: 'valid domains: the own one, and it covers every address' },
  {
    n: 9,
    point: 'every command of the menu is answered, described, without slash or double',
    proven: { 'package/manifest.test.ts': ['what Teams types for "$title" is understood as it stands'] },
  },
  {
    n: 10,
    point:
      'no permission in a team but the one of the read-back package; a changed manifest has a new version',
    proven: {
      'package/check.test.ts': ['the read-back package that asks for nothing, or for more, is refused'],
      'teams/turn.test.ts': [
        'what is not said to us is dropped unread: nothing runs, nothing is stored, nobody is asked',
      ],
    },
    missing: true,
  },
  {
    n: 11,
    point: 'hi, hello and help are answered with a way forward, also without a role',
    proven: {
      'stories/ask-for-a-score.test.ts': [
        'tenants lists health; help, hi and unknown words show the way forward',
      ],
      'commands/grant.test.ts': [
        'who has no role is told whom to ask, at home and not where a customer reads',
      ],
    },
  },
  { n: 12, point: 'a command reads the same with slash, mention, capitals, no-break and double spaces' },
  {
    n: 13,
    point: 'unknown words, unknown and ambiguous tenants lead on',
    proven: {
      'stories/ask-for-a-score.test.ts': [
        'an unknown name is answered with the nearest ones, and their button answers on click',
        'a name that begins several asks which one, and answers on click',
      ],
    },
  },
  {
    n: 14,
    point: 'one greeting an installation; in a team one post that names who installed',
    proven: {
      'teams/turn.test.ts': [
        'an installation is greeted once, however it is told',
        'a team gets one post in the channel it was added to, naming who added us, and nobody a private one',
      ],
    },
  },
  { n: 15, point: 'no second greeting on help, on a new member, or when Teams delivers again' },
  {
    n: 16,
    point: 'no private messages to the members of a team',
    proven: {
      'teams/turn.test.ts': [
        'a team gets one post in the channel it was added to, naming who added us, and nobody a private one',
      ],
    },
  },
  {
    n: 17,
    point: 'typing shows in every slow turn at once, and not after the answer',
    proven: {
      'teams/turn.test.ts': [
        'typing shows in every conversation of several slow turns, and never after the answer',
        'a quick answer shows no typing at all',
      ],
    },
  },
  {
    n: 18,
    point: 'presses are answered within 5 s, and twice is as good as once',
    proven: {
      'teams/click.test.ts': [
        'a slow handler is not waited for longer than Teams waits',
        'fifty clicks of one delivery are one effect and get the same answer',
      ],
    },
  },
  {
    n: 19,
    point: 'a card of an older version is answered in a sentence, never with an error',
    proven: {
      'teams/click.test.ts': [
        '$name gets a friendly sentence, never an error, and does nothing',
        'a verb we signed but do not know any more is an old card',
      ],
    },
  },
  {
    n: 20,
    point: 'asked privately, answered privately, and never in public instead',
    proven: {
      'teams/turn.test.ts': [
        'asked privately, answered privately: typing and answer are targeted',
        'when targeting fails with %i nothing is said anywhere else',
      ],
      'teams/hear.test.ts': ['from the slash menu the answer is private, and the channel hears all the same'],
    },
  },
  {
    n: 21,
    point: 'one post an incident, what follows changes it or stands in its thread, no bursts',
    proven: {
      'stories/score-drops-overnight.test.ts': [
        'a further fall draws the card anew and says so in its thread',
      ],
      'jobs/send-due.test.ts': ['more than ten at once come as lists of at most thirty, and each is told'],
      'jobs/told-once.test.ts': [
        'Teams at its worst, within its limits: none lost, every repeat says so, none refused for being too fast',
      ],
    },
  },
  {
    n: 22,
    point:
      'waits as long as Teams says, repeats nothing unclear unsaid, stops where it is not wanted, fits in size',
    proven: {
      'teams/sender.test.ts': ['when Teams asks for a second, the answer comes after it, once'],
      'jobs/send-due.test.ts': [
        'taken, and then an error: told once more after a while, with a word that it may be there already',
        'refused with %d: broken, told after the next installation, in order',
      ],
      'cards/cards.test.ts': [
        'with 500 tenants and names of 1,000 characters every signed card is under 28 KB',
      ],
    },
  },
  {
    n: 23,
    point: 'removed or deleted: the subscription ends and nothing is sent any more',
    proven: {
      'teams/post.test.ts': [
        'the bot leaves a team and comes back: what its channels asked for ends and goes on',
      ],
      'jobs/send-due.test.ts': ['removed while something waited: it ends, and is told when the bot is back'],
    },
  },
  {
    n: 24,
    point: 'news has a summary, its tenant, since when, how bad in words, and a link to exactly that',
    proven: { 'cards/drop.test.ts': ['text and note say it without a card'] },
    missing: true,
  },
  {
    n: 25,
    point: 'every command and press is decided by tenant, person and role; strangers are turned away',
    proven: {
      'teams/click.test.ts': ['a role that was taken away between post and click is missing at the click'],
      'teams/turn.test.ts': ['$name: one refusal, one audit line, nothing stored, nothing run'],
      'shared/access.test.ts': [
        'decisions see tid, oid, grants and the switch: names and addresses change nothing (R12)',
      ],
    },
  },
  {
    n: 26,
    point: 'no start without credentials, 401 for every wrong token, tokens go to known addresses only',
    proven: {
      'config.test.ts': [
        'every subset of the required settings but the empty and the whole one is refused, naming all that is missing',
      ],
      'teams/tokens.test.ts': ['a refused activity learns nothing but 401'],
      'teams/connector.test.ts': ['poisoned addresses never see the token, whatever we would send there'],
    },
  },
  {
    n: 27,
    point: "no logos of Microsoft's products; links out say where they lead",
    byEye: true,
  },
  {
    n: 28,
    point: 'cards of version 1.5 that the library and the types of Teams accept',
    proven: {
      'cards/cards.test.ts': [
        '$name is read without a complaint by the card library',
        'every card fits the types of Teams, and a wrong one does not',
      ],
    },
  },
  { n: 29, point: 'at most six buttons, a text for who sees no card, words for inputs and pictures' },
  {
    n: 30,
    point: 'cards need no scrolling sideways, long names wrap',
    proven: {
      'cards/look.test.ts': [
        'at $width px, $theme: nothing runs out of a card and the trend is one line',
        '$what in every field stays inside at 300 px',
      ],
    },
    byEye: true,
  },
  {
    n: 31,
    point: 'what a picture shows is said in numbers too; an hour names its zone',
    proven: {
      'cards/cards.test.ts': [
        'a card reads: how good, is it getting better, what to do, how old, what is not seen',
      ],
    },
  },
  {
    n: 32,
    point: 'a press changes the card for who pressed, and for everybody where it concerns everybody',
    proven: {
      'teams/click.test.ts': ['an answer for the conversation replaces the card for everybody as well'],
      'stories/score-drops-overnight.test.ts': ['who acknowledges it is named on the card for everybody'],
    },
  },
  {
    n: 33,
    point: 'the tab tells Teams that it is there, or that it failed, and then tries again',
    proven: {
      'stories/open-the-tab.test.ts': [
        'teams-js is told in order: initialize, theme, loaded, token, success',
        'when $what the page says so, and goes on without a new start',
      ],
    },
    byEye: true,
  },
  {
    n: 34,
    point: 'outside Teams the tab says where it belongs',
    proven: { 'stories/open-the-tab.test.ts': ['outside Teams the page says where to open it'] },
  },
  {
    n: 35,
    point: 'three themes, changed while the page is open; no panel in meetings is offered',
    proven: { 'stories/open-the-tab.test.ts': ['the theme of Teams changes while the page is open'] },
    byEye: true,
  },
  {
    n: 36,
    point:
      'no finding of axe in three themes, everything by keyboard, the focus comes back, changes are announced',
    proven: {
      'stories/open-the-tab.test.ts': [
        'the $name is whole, accessible and never scrolls sideways, from 320 to 1440 px',
        'are whole and accessible at %i px',
        'with the keyboard alone into a tenant, along its trend, and back to where one was',
      ],
      'stories/connect-a-tenant.test.ts': [
        'the same tenant again is known, and leads to its credentials; a dead secret does not replace the good one',
      ],
    },
  },
  {
    n: 37,
    point: 'no scrolling sideways from 320 to 1920 px, nothing cut off, targets for fingers',
    proven: {
      'stories/open-the-tab.test.ts': [
        'the $name is whole, accessible and never scrolls sideways, from 320 to 1440 px',
      ],
    },
    byEye: true,
  },
  {
    n: 38,
    point: 'trouble with consent or sign-in has a button and recovers',
    proven: {
      'stories/open-the-tab.test.ts': [
        'when $what the page says so, and goes on without a new start',
        'another person is chosen from the page, and a choice can be cancelled',
      ],
    },
  },
  {
    n: 39,
    point: 'a deep link opens its tenant, and back leads back; no rail or header of its own',
    proven: {
      'stories/open-the-tab.test.ts': [
        'a deep link opens its tenant',
        'with the keyboard alone into a tenant, along its trend, and back to where one was',
      ],
    },
    byEye: true,
  },
  {
    n: 40,
    point: 'the settings of a tab in a channel say what it is for, and Save waits for a choice',
    proven: {
      'stories/open-the-tab.test.ts': [
        'one tenant is chosen, and Teams keeps where it is',
        'a tenant that this person may not see is not offered, and stays unchosen',
      ],
    },
  },
  {
    n: 41,
    point: 'removing asks for the name, and a removed tenant can be connected again',
    proven: {
      'api/connect.test.ts': [
        'removed only by who types its name; then nothing of it is left, and channels go on without it',
        'connected again it begins anew',
      ],
    },
  },
  {
    n: 42,
    point: 'Teams may frame the tab, nobody else; nothing secret is in its scripts',
    proven: {
      'server/routes.test.ts': ['$method $path answers $status with exactly its headers'],
      'stories/open-the-tab.test.ts': ['another site cannot frame the tab'],
      'tab/size.test.ts': ['nothing secret or of this machine is in the scripts'],
    },
  },
  {
    n: 43,
    point: 'the budgets of size, speed and stillness are held',
    proven: {
      'tab/size.test.ts': [
        'the script the page begins with holds its budget',
        'all scripts of the first page together hold theirs',
      ],
      'stories/open-the-tab.test.ts': [
        'while it loads the frame stands, and nothing moves when the data comes',
      ],
    },
    byEye: true,
  },
  {
    n: 44,
    point: 'empty, loading, failed, partly seen and old are states of their own, with the age of the data',
    proven: {
      'stories/open-the-tab.test.ts': [
        'an API that fails is told with what still works, and the next try brings the list',
        'a tenant that cannot be read keeps its last numbers, and says once why nothing newer is there',
        'who has no role is told how to get one',
      ],
      'api/tenants.test.ts': ['a person without a role gets an empty list'],
    },
  },
  { n: 45, point: 'no search from the compose box is offered' },
  { n: 46, point: 'no link is unfurled' },
  { n: 47, point: 'nothing is sent to the activity feed' },
  {
    n: 48,
    point: 'nothing is offered in meetings; who has no role is told so, and never sees a blank page',
    proven: { 'stories/open-the-tab.test.ts': ['who has no role is told how to get one'] },
  },
  {
    n: 49,
    point: 'reads what the description says and nothing else; no token and nobody in the log',
    proven: {
      'sandbox-judge/openapi.test.ts': ['every request that our port sends is one that Graph knows'],
      'log.test.ts': ['a field that is not on the list is not written'],
      'server/routes.test.ts': [
        'nothing of header, body or answer gets into the log or onto the screen (F7)',
      ],
    },
  },
  { n: 50, point: 'works on phones', byEye: true, missing: true },
];
