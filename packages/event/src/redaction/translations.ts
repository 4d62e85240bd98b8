/** `password` in other languages, with and without accents. A number under these names is a secret too. */
export const passwordTranslations: readonly string[] =
  `passwort passwörter kennwort kennwörter motdepasse motsdepasse mdp
  contraseña contraseñas contrasena contrasenas contrasenya senha senhas palavrapasse parola parolă wachtwoord wachtwoorden
  lösenord losenord passord adgangskode salasana hasło hasła haslo heslo jelszó jelszo şifre lozinka geslo пароль пароли парола лозинка
  密码 密碼 口令 パスワード 暗証番号 비밀번호 패스워드 סיסמה`.split(/\s+/);

/** The same in several words: `mot_de_passe`. */
export const passwordPhrases: readonly string[] = [
  'de passe',
  'palavra passe',
  'parola ordine',
  'mật khẩu',
  'kata sandi',
  'كلمة المرور',
  'كلمة السر',
];

/** Compounds that are written as one word: `Benutzerpasswort`, `用户密码`. */
export const passwordCompounds =
  /.(?:passwort|kennwort|wachtwoord|lösenord|passord|adgangskode|salasana|密码|密碼|口令|パスワード|비밀번호)$/;
