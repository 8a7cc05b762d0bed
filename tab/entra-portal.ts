import { createContext } from 'react';

/** The Entra admin center of the cloud Watchpost is set up for: https, without a trailing slash. */
export const EntraPortal = createContext('https://entra.microsoft.com');
