/**
 * Whether a text speaks of whoever wrote it: then it matters who that is, and what they said before. A
 * look for words of the first person in the languages that are written most. Languages that hide it in
 * their verbs are missed in part, and such a question is read as anybody's; a word that means something
 * else in another language makes a question personal without need, which costs a call.
 */

const words: ReadonlySet<string> = new Set(
  [
    'i me my mine myself we us our ours ourselves',
    'ich mir mich mein meine meinen meinem meiner meines wir uns unser unsere unserem unseren',
    'je j moi m mon ma mes nous notre nos mienne mien',
    'yo mi mí mis mío mía míos mías conmigo nosotros nosotras nos nuestro nuestra nuestros nuestras',
    'eu mim meu meus minha minhas comigo nós nosso nossa nossos nossas',
    'io mio mia miei mie noi nostro nostra nostri nostre',
    'ik mij mijn wij ons onze jag jeg mig meg min mitt mina mitt vi oss vår våra våre vores',
    'mnie mną mój moja moje moi moich my nas nam nasz nasza nasze',
    'я мне меня мной мой моя моё мое мои моего моей моих мы нам нас наш наша наше наши мені мене ми',
    'ben beni bana benim biz bize bizim saya aku kami kita tôi mình',
    'εγώ μου εμένα μας εμείς أنا لي معي عندي نحن لنا אני לי שלי אנחנו לנו',
    'मैं मुझे मेरा मेरी मेरे हम हमें हमारा',
  ].flatMap((line) => line.split(' ')),
);

/** Scripts that do not part their words by spaces, and Korean, whose particles cling to them. */
const anywhere =
  /[我咱俺私僕]|わたし|ぼく|おれ|ฉัน|ผม|(?<!\p{L})(?:나는|나를|나의|내가|내게|저는|저를|저의|제가|제게|우리)/u;

/** Up to an apostrophe: what stands before it in “I'm” and “j'ai” is the word that counts. */
const wordsOf = /[\p{L}\p{M}]+/gu;

/** See the module's header. */
export function speaksOfSelf(text: string): boolean {
  if (anywhere.test(text)) return true;
  for (const [word] of text.toLowerCase().matchAll(wordsOf)) if (words.has(word)) return true;
  return false;
}
