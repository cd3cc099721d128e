/** The version of this program; the build puts it in, tests run the source without one. */
declare const __IAC_VERSION__: string | undefined

export const programVersion: string = typeof __IAC_VERSION__ === 'string' ? __IAC_VERSION__ : '0.0.0-source'
