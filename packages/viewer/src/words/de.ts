import type { ViewerWords } from './viewer-words.ts';

/** German. */
export const de: ViewerWords = {
  title: 'Prüfprotokoll',
  search: 'Suche',
  searchHint: 'Wörter, "Wortfolgen", Feld:Wert, -ohne',
  time: 'Zeit',
  event: 'Ereignis',
  actor: 'Wer',
  target: 'Was',
  outcome: 'Ergebnis',
  loading: 'Wird geladen …',
  none: 'Es gibt noch keine Ereignisse.',
  noneFound: 'Kein Ereignis passt zur Suche.',
  older: 'Ältere Ereignisse zeigen',
  refresh: 'Aktualisieren',
  cut: 'Die Suche hat die Grenze einer Anfrage erreicht.',
  close: 'Schließen',
  details: 'Einzelheiten',
  place: 'Eintrag {index}',
  receipt: 'Beleg herunterladen',
  expired: 'Ihr Zugang zu dieser Liste ist abgelaufen. Laden Sie die Seite neu.',
  failed: 'Die Liste kann nicht geladen werden: {reason}',
  retry: 'Noch einmal versuchen',
  checking: 'Ihr Browser prüft …',
  intact: 'Von Ihrem Browser geprüft: unverändert seit der Signatur.',
  broken: 'Dieser Eintrag ist nicht unversehrt.',
  unproven: 'Noch nicht bewiesen.',
  contentNotChecked: 'Inhalt nicht geprüft',
  contentNotCheckedWhy:
    'Diese Seite bekommt die Bytes des Eintrags nicht. Ihr Browser kann sie nicht mit dem signierten Protokoll vergleichen.',
  whatWasChecked: 'Was geprüft wurde',
  expected: 'Erwartet',
  found: 'Gefunden',
  alarm: 'Alarm',
  report: 'Bericht herunterladen',
  notRemembered:
    'Dieser Browser speichert für diese Seite nichts. Er kann das Protokoll nicht mit Ihrem letzten Besuch vergleichen.',
  steps: {
    content: 'Inhalt',
    hash: 'Hash',
    link: 'Verkettung',
    inclusion: 'Enthalten im Protokoll',
    signature: 'Signierter Stand',
    history: 'Dasselbe Protokoll wie zuvor',
  },
  log: {
    grown:
      'Ihr Browser hat das Protokoll geprüft: Es enthält alle {kept} Einträge Ihres letzten Besuchs und jetzt {size}.',
    first_visit:
      'Ihr Browser hat die Signatur des Protokolls mit {size} Einträgen geprüft. Ab jetzt merkt er sich diesen Stand.',
    forked:
      'Das Protokoll widerspricht dem, was Ihr Browser früher geprüft hat: Es wurde nachträglich verändert.',
    shrunk:
      'Das Protokoll hat {size} Einträge, und Ihr Browser hat früher {kept} geprüft: Es fehlen Einträge.',
    proof_invalid:
      'Der Dienst kann nicht beweisen, dass das Protokoll enthält, was Ihr Browser früher geprüft hat.',
    no_proof: 'Der Dienst gab keinen Beweis, dass das Protokoll enthält, was Ihr Browser früher geprüft hat.',
    other_log: 'Der Dienst zeigt ein anderes Protokoll als das, das Ihr Browser früher geprüft hat.',
    new_epoch:
      'Das Protokoll wurde nach einer Wiederherstellung neu begonnen. Fragen Sie den Betreiber, was geschehen ist.',
    untrusted: 'Der Schlüssel, dem Ihr Browser vertraut, hat das Protokoll nicht signiert.',
    malformed: 'Der Dienst zeigt einen Stand, der nicht gelesen werden kann.',
  },
  checks: {
    CONTENT_MATCHES: 'Alles, was gezeigt wird, steht in den Bytes des Eintrags.',
    CONTENT_UNREADABLE: 'Die Bytes sind kein Eintrag: Sie wurden verändert.',
    CONTENT_DIFFERS: '„{member}“ ist nicht, was der Eintrag enthält.',
    HASH_MATCHES: 'SHA-256 der Bytes ist der Hash in der Liste.',
    HASH_DIFFERS: 'Die Bytes haben einen anderen Hash, als die Liste sagt: Der Eintrag wurde verändert.',
    LINK_FIRST: 'Dies ist der erste Eintrag der Kette.',
    LINK_FIRST_DIFFERS: 'Vor dem ersten Eintrag darf keiner stehen.',
    LINK_MATCHES: 'Der Eintrag davor hat den Hash, den dieser Eintrag nennt.',
    LINK_DIFFERS: 'Der Eintrag davor hat einen anderen Hash.',
    LINK_UNREADABLE: 'Die Bytes nennen keinen Eintrag davor.',
    LINK_NOT_SHOWN:
      'Der Eintrag davor wird hier nicht gezeigt. Der Beweis im Protokoll umfasst auch seinen Platz.',
    RECEIPT_MISSING: 'Der Dienst gab keinen Beleg: {reason}',
    RECEIPT_UNREADABLE: 'Der Beleg kann nicht gelesen werden.',
    INCLUSION_MATCHES: 'Der Eintrag hat den Platz {index} im signierten Protokoll mit {size} Einträgen.',
    INCLUSION_OTHER_PLACE: 'Der Beleg gilt für einen anderen Platz.',
    INCLUSION_DIFFERS: 'Der Beweis führt zu einer anderen Wurzel als der signierten.',
    INCLUSION_MALFORMED: 'Der Beweis passt nicht: {reason}',
    SIGNATURE_MATCHES: 'Der Schlüssel, dem Ihr Browser vertraut, hat das Protokoll signiert.',
    CHECKPOINT_UNTRUSTED: 'Der Schlüssel, dem Ihr Browser vertraut, hat das Protokoll nicht signiert.',
    CHECKPOINT_SIGNATURE_INVALID: 'Die Signatur ist gefälscht oder beschädigt.',
    CHECKPOINT_KEY_RETIRED: 'Der Schlüssel, der signiert hat, war vorher ersetzt worden.',
    KEY_ROTATION_INVALID:
      'Der Dienst zeigt einen Wechsel der Schlüssel, den der alte Schlüssel nicht signiert hat.',
    HISTORY_GROWN: 'Das Protokoll ist nur gewachsen, seit Ihr Browser {size} Einträge geprüft hat.',
    HISTORY_FORKED: 'Das Protokoll widerspricht dem, was Ihr Browser früher geprüft hat.',
    HISTORY_PROOF_INVALID:
      'Der Dienst kann nicht beweisen, dass das Protokoll enthält, was Ihr Browser früher geprüft hat.',
    HISTORY_FIRST_VISIT: 'Ihr Browser hat von diesem Protokoll noch nichts geprüft.',
    HISTORY_OTHER_EPOCH: 'Das Protokoll wurde seit Ihrem letzten Besuch neu begonnen.',
    HISTORY_NO_PROOF: 'Der Dienst gab keinen Beweis, dass das Protokoll nur gewachsen ist.',
  },
};
