import fc from 'fast-check'

/**
 * Any characters of Unicode, most of them outside ASCII. The same as fast-check's `unit: 'binary'`, which first makes a table of
 * a million characters.
 */
export function anyText(length: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.array(CODE_POINT, length).map((points) => String.fromCodePoint(...points))
}

/** Without surrogates, which are no characters. */
const CODE_POINT = fc
  .integer({ min: 0, max: 0x10f7ff })
  .map((point) => (point < 0xd800 ? point : point + 0x800))
