/** The first line of every generated page. */
export const generatedFrom = (source: string): string =>
  `<!-- Generated from ${source} by \`npm run docs:generate\`. Do not edit. -->`;
