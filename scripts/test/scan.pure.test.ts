import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importsOf, packageNamed } from '../tidy/imports.ts';
import { lineAt, scan } from '../tidy/scan.ts';

describe('scan', () => {
  it('tells code, comments and strings apart', () => {
    const { code, comments, literals } = scan(
      `call('in // a string'); // say "no"\n/* two\nlines */ end`,
    );
    expect(code).not.toMatch(/string|say|two/);
    expect(code).toMatch(/^call\('\s+'\);/);
    expect(comments).toContain('// say "no"');
    expect(comments).not.toContain('string');
    expect(literals.map(({ text }) => text)).toEqual(['in // a string']);
  });

  it('goes on with the code inside a template, braces and nested templates included', () => {
    const { code, literals } = scan('`a ${f({ b: `c ${d}` })} e` + g');
    expect(code.replaceAll(/\s+/g, '')).toBe('`${f({b:`${d}`})}`+g'.replaceAll(/\s+/g, ''));
    expect(literals.map(({ text }) => text)).toEqual(['a ', 'c ', '', ' e']);
  });

  it('reads a slash as a regular expression or a division by what stands before it', () => {
    expect(scan("const quotes = /['`\"/*]/g; after('x')").code).toContain('after(');
    expect(scan("a / b; c('x') / d // rest").code).toMatch(/a \/ b; c\(' '\) \/ d\s+$/);
    expect(scan('return /[/]"/.test(x) && y').code).toContain('.test(x) && y');
  });

  it('keeps every offset and line break, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`ab'"\`/*\\\n{}$() é😀`) }), (text) => {
        const { code, comments } = scan(text);
        expect([code.length, comments.length]).toEqual([text.length, text.length]);
        expect(lineAt(code, code.length)).toBe(lineAt(text, text.length));
      }),
    );
  });
});

describe('imports', () => {
  const specifiers = (text: string) =>
    importsOf(text, scan(text)).map(({ specifier, line }) => `${line} ${specifier}`);

  it('finds static, re-exported, bare and dynamic imports, and no others', () => {
    expect(
      specifiers(
        [
          "import { a } from './a.ts';",
          "export * from '@starling/b/testing';",
          "import 'c';",
          "const d = await import('./d.ts');",
          "import.meta.resolve('./e.ts');",
          "// import { f } from './f.ts';",
          'const g = "import { g } from \'./g.ts\'";',
        ].join('\n'),
      ),
    ).toEqual(['1 ./a.ts', '2 @starling/b/testing', '3 c', '4 ./d.ts', '5 ./e.ts']);
  });

  it('names the package of a path', () => {
    expect(packageNamed('@starling/bus/testing')).toBe('@starling/bus');
    expect(packageNamed('zod/v4')).toBe('zod');
    expect(packageNamed('node:fs')).toBeUndefined();
    expect(packageNamed('./x.ts')).toBeUndefined();
  });
});
