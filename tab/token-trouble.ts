import { ApiError } from './api.ts';

/** What the Teams client says when it gives no token, by the words it uses; the first that fits decides. */
const troubles: readonly { says: RegExp; kind: ApiError['kind']; message: string }[] = [
  {
    says: /cancel|closed|declined|access_?denied/i,
    kind: 'consent',
    message: 'You closed the question whether Watchpost may know who you are, so nothing can be shown yet.',
  },
  {
    says: /consent|invalid_grant|interaction_?required|resourceRequires|mfa/i,
    kind: 'consent',
    message: 'Teams has to ask you once whether Watchpost may know who you are.',
  },
  {
    says: /network|offline|fetch|timed? ?out|no answer|unreachable/i,
    kind: 'unreachable',
    message: 'Teams could not reach Microsoft to sign you in. Check your connection.',
  },
  {
    says: /signed[ _-]?out|not[ _-]?signed|login[ _-]?required|no[ _-]?account/i,
    kind: 'signed-out',
    message: 'Teams has no sign-in of yours at the moment. Sign in to Teams, then try again.',
  },
];

/** Why there is no token, as something the page has words and a way on for. */
export function tokenTrouble(error: unknown): ApiError {
  const said = error instanceof Error ? error.message : String(error);
  const found = troubles.find(({ says }) => says.test(said));
  if (found !== undefined) return new ApiError(found.kind, found.message);
  return new ApiError(
    'signed-out',
    'Teams could not sign you in to Watchpost. Ask an administrator whether the app has been approved for your organisation.',
  );
}
