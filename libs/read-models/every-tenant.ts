/** Stands for the tenant of what is of none, and so concerns every one. No tenant has this name. */
export const EVERY_TENANT = '';
