/** The version of this program; the build puts it in. */
declare const __IAC_VERSION__: string

export const serverVersion: string = __IAC_VERSION__
