/** A NUL or half a surrogate pair: JSON text can say them, PostgreSQL's text and jsonb cannot hold them. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Whether PostgreSQL can store the text and give the same text back. */
export const isStorableText = (text: string): boolean => !UNSTORABLE.test(text);
