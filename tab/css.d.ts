/** Vite turns an imported style sheet into a link in the built page. */
declare module '*.css';
