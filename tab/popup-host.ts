/** Of Teams' library what a window of *Sign in with Microsoft* needs; named here, so that the rest is left out. */
export { app, authentication } from '@microsoft/teams-js';
