// What the page says, in each of its languages. A key that one lacks does not compile.

const en = {
  calls: 'Calls', now: 'Now', health: 'Health', signIn: 'Sign in', signOut: 'Sign out', token: 'Token', language: 'Русский',
  signInHint: 'A token of voipd\'s configuration: "voipd token new NAME" makes one, "voipd token link NAME" a link that signs in once.',
  wrongToken: 'voipd does not know this token.', usedLink: 'This link was used before, or is too old. Ask for a new one.', slowDown: 'Too many wrong tries. Wait a minute.',
  ended: 'The session has ended. Sign in again.', unreachable: 'voipd cannot be reached.', failed: 'That did not work', retry: 'Try again', noScope: 'This token may not see calls.',
  in: 'Inbound', out: 'Outbound', internal: 'Internal', answered: 'Answered', no_answer: 'No answer', cancelled: 'Cancelled', busy: 'Busy', failedCall: 'Failed', unknown: 'Unknown',
  search: 'Number or name', filters: 'Filters', reset: 'Clear all', any: 'Any', yes: 'Yes', no: 'No', direction: 'Direction', outcome: 'Outcome', operator: 'Operator', did: 'Number called (DID)',
  queue: 'Queue', recorded: 'Recorded', longer: 'Talked at least, s', transferred: 'Transferred', approximate: 'Approximate', when: 'When', from: 'From', to: 'Until',
  today: 'Today', yesterday: 'Yesterday', days7: '7 days', days30: '30 days', range: 'Range…',
  csv: 'CSV', csvHint: 'Save what is shown as CSV', nothing: 'No calls fit', nothingYet: 'No calls yet', loading: 'Loading…', anonymous: 'Anonymous',
  liveOn: 'Live', liveOff: 'Not live: reconnecting', fresh: 'New above', call: 'Call', close: 'Close', newer: 'Newer call', older: 'Older call', what: 'What happened', fields: 'Fields and why',
  rec: 'Recording', play: 'Play', pause: 'Pause', speed: 'Speed', download: 'Download', seek: 'Position', minus: '10 seconds back', plus: '10 seconds ahead', jump: 'Jump to',
  notReady: 'The recording is still being written.', goneRec: 'The recording is no longer on the disk.', emptyRec: 'The recording is empty.', playFailed: 'The recording cannot be played', noRight: 'This token may not hear recordings.',
  began: 'begins the call', rings: 'rings', outcomeAnswered: 'answers', outcomeNo: 'does not answer', outcomeBusy: 'is busy', outcomeFailed: 'cannot be reached', outcomeCancelled: 'stops ringing: the caller hung up', outcomeElsewhere: 'stops ringing: another phone answered',
  talksWith: 'talks with', blind: 'hands the call over to', attended: 'hands the call over, after asking, to', pickup: 'is picked up by', park: 'parks the call', unpark: 'is taken from parking by', recall: 'comes back to', ends: 'The call ends', hungUp: 'hangs up',
  caller: 'Caller', callee: 'Called', started: 'Began', ended_: 'Ended', length: 'Talked', ringTime: 'Rang', waitTime: 'Waited', holdTime: 'On hold', queueWait: 'Waited in queue', asked: 'Asked for', name: 'Name', service: 'Service', hangupBy: 'Hung up by', cause: 'Hangup cause',
  pbx: 'PBX', source: 'Told by', absorbed: 'Calls that went into this one', mergedInto: 'Went into', approximateWhy: 'Near the truth, because', raw: 'The record as JSON', copy: 'Copy', copied: 'Copied', goneCall: 'There is no such call, or it was erased.', omitted: 'ringings are left out',
  legendRing: 'ringing', legendTalk: 'talking', legendQueue: 'queue', legendRec: 'recorded',
  missed: 'To call back', noneMissed: 'Nobody is to be called back', callBack: 'Call back', dismiss: 'Dismiss', note: 'Note, such as: wrote to us', myExtension: 'My extension', myExtensionFirst: 'Choose your extension first', inARow: 'unanswered calls in a row', firstMissed: 'first', rangWere: 'Rang', tries: 'Tried', day1: '24 hours', returned: 'Called back',
  figures: 'Figures', figuresCsv: 'Save the figures as CSV', days365: '365 days', answeredIn: 'Inbound calls answered', medianAnswer: 'Half are answered within', p90Answer: 'Nine in ten are answered within', beforeWas: 'before:', byDay: 'By day', byHour: 'By hour of the day', byOperator: 'By operator', byQueue: 'By queue', byDid: 'By number called', longestWaits: 'Longest waits', answeredCalls: 'Answered', asTable: 'As a table',
  going: 'Going on', noneGoing: 'No calls go on', operators: 'Operators', noOperators: 'The PBX names no operators', queues: 'Queues', waiting: 'Waiting', ringing: 'Ringing', talking: 'Talking', held: 'On hold', ordered: 'Placed',
  idle: 'Idle', offline: 'Offline', inQueue: 'waiting', longest: 'longest', stale: 'The PBX is away. This is how things stood at', talkingNow: 'talking',
  ok: 'All is well', starting: 'voipd is starting', failing: 'Something is failing', link: 'Link to the PBX', up: 'up', down: 'down', connecting: 'connecting', since: 'since', lastEvent: 'Last event', openCalls: 'Calls open',
  store: 'Database', lastCommit: 'Last written', waitingFacts: 'Facts waiting', refused: 'Facts refused', webhooks: 'Webhooks', parked: 'Parked', waitingEvents: 'Waiting', oldest: 'Oldest', repair: 'Repair from CEL and CDR', openGaps: 'Open gaps', lastRead: 'Last read', version: 'Version', runsSince: 'Runs since', warnings: 'Warnings', noWarnings: 'No warnings',
  hookWorking: 'working', hookFailing: 'failing', hookPaused: 'paused', noAnswer: 'no answer came', lastAnswer: 'Last answer', look: 'Look at them', sendAll: 'Send all again', sendAgain: 'Send again', sentAgain: 'Sent again', resume: 'Resume', attempts: 'Tries', further: 'More',
  quarantine: 'Facts set aside', facts: 'Facts', size: 'Size', diskFree: 'Free on its disk', rawFacts: 'The facts behind it', bugReport: 'For a bug report, without numbers and names', asTheyAre: 'As they are', gotThrough: 'Called again and was answered', after: 'after', doctorDo: 'More on the machine itself: "sudo voipd doctor".', none: 'none', skip: 'Skip to content', more10k: 'more than',
}

export type Key = keyof typeof en

const ru: Record<Key, string> = {
  calls: 'Звонки', now: 'Сейчас', health: 'Состояние', signIn: 'Войти', signOut: 'Выйти', token: 'Токен', language: 'English',
  signInHint: 'Токен из настроек voipd: его создаёт «voipd token new ИМЯ», а «voipd token link ИМЯ» даёт одноразовую ссылку для входа.',
  wrongToken: 'voipd не знает такого токена.', usedLink: 'Ссылка уже использована или устарела. Попросите новую.', slowDown: 'Слишком много неверных попыток. Подождите минуту.',
  ended: 'Сеанс закончился. Войдите снова.', unreachable: 'voipd не отвечает.', failed: 'Не получилось', retry: 'Повторить', noScope: 'Этому токену не видны звонки.',
  in: 'Входящий', out: 'Исходящий', internal: 'Внутренний', answered: 'Отвечен', no_answer: 'Без ответа', cancelled: 'Отменён', busy: 'Занято', failedCall: 'Не удался', unknown: 'Неизвестно',
  search: 'Номер или имя', filters: 'Фильтры', reset: 'Сбросить', any: 'Все', yes: 'Да', no: 'Нет', direction: 'Направление', outcome: 'Итог', operator: 'Оператор', did: 'Набранный номер (DID)',
  queue: 'Очередь', recorded: 'С записью', longer: 'Разговор не короче, с', transferred: 'С переводом', approximate: 'Приблизительно', when: 'Когда', from: 'С', to: 'До',
  today: 'Сегодня', yesterday: 'Вчера', days7: '7 дней', days30: '30 дней', range: 'Период…',
  csv: 'CSV', csvHint: 'Сохранить показанное как CSV', nothing: 'Ничего не найдено', nothingYet: 'Звонков пока нет', loading: 'Загрузка…', anonymous: 'Номер скрыт',
  liveOn: 'Обновляется', liveOff: 'Нет связи: переподключение', fresh: 'Новые выше', call: 'Звонок', close: 'Закрыть', newer: 'Звонок новее', older: 'Звонок старше', what: 'Что было', fields: 'Поля и почему они такие',
  rec: 'Запись', play: 'Слушать', pause: 'Пауза', speed: 'Скорость', download: 'Скачать', seek: 'Место в записи', minus: 'На 10 секунд назад', plus: 'На 10 секунд вперёд', jump: 'Перейти',
  notReady: 'Запись ещё пишется.', goneRec: 'Записи больше нет на диске.', emptyRec: 'Запись пуста.', playFailed: 'Запись не воспроизводится', noRight: 'Этому токену нельзя слушать записи.',
  began: 'начинает звонок', rings: 'звонит', outcomeAnswered: 'отвечает', outcomeNo: 'не отвечает', outcomeBusy: 'занят', outcomeFailed: 'недоступен', outcomeCancelled: 'перестал звонить: звонящий положил трубку', outcomeElsewhere: 'перестал звонить: ответил другой телефон',
  talksWith: 'разговаривает с', blind: 'переводит звонок на', attended: 'переводит звонок, спросив, на', pickup: 'перехвачен:', park: 'паркует звонок', unpark: 'снят с парковки:', recall: 'возвращается к', ends: 'Звонок окончен', hungUp: 'кладёт трубку',
  caller: 'Кто', callee: 'Кому', started: 'Начало', ended_: 'Конец', length: 'Разговор', ringTime: 'Вызов', waitTime: 'Ожидание', holdTime: 'Удержание', queueWait: 'Ожидание в очереди', asked: 'Набран номер', name: 'Имя', service: 'Служба', hangupBy: 'Положил трубку', cause: 'Код завершения',
  pbx: 'АТС', source: 'Источник', absorbed: 'Звонки, вошедшие в этот', mergedInto: 'Вошёл в', approximateWhy: 'Близко к истине, потому что', raw: 'Запись о звонке в JSON', copy: 'Копировать', copied: 'Скопировано', goneCall: 'Такого звонка нет, или он стёрт.', omitted: 'вызовов не показано',
  legendRing: 'вызов', legendTalk: 'разговор', legendQueue: 'очередь', legendRec: 'запись',
  missed: 'Перезвонить', noneMissed: 'Перезванивать некому', callBack: 'Позвонить', dismiss: 'Убрать', note: 'Заметка, например: написал нам', myExtension: 'Мой номер', myExtensionFirst: 'Сначала выберите свой номер', inARow: 'неотвеченных звонков подряд', firstMissed: 'первый', rangWere: 'Звонили', tries: 'Попыток', day1: '24 часа', returned: 'Перезвонили',
  figures: 'Цифры', figuresCsv: 'Сохранить цифры как CSV', days365: '365 дней', answeredIn: 'Входящих отвечено', medianAnswer: 'Половине ответили за', p90Answer: 'Девяти из десяти ответили за', beforeWas: 'до этого:', byDay: 'По дням', byHour: 'По часам', byOperator: 'По операторам', byQueue: 'По очередям', byDid: 'По набранным номерам', longestWaits: 'Дольше всех ждали', answeredCalls: 'Отвечено', asTable: 'Таблицей',
  going: 'Идут сейчас', noneGoing: 'Сейчас никто не звонит', operators: 'Операторы', noOperators: 'АТС не назвала операторов', queues: 'Очереди', waiting: 'Ожидает', ringing: 'Вызов', talking: 'Разговор', held: 'На удержании', ordered: 'Заказан',
  idle: 'Свободен', offline: 'Не в сети', inQueue: 'ждут', longest: 'дольше всех', stale: 'Нет связи с АТС. Так было в', talkingNow: 'говорят',
  ok: 'Всё в порядке', starting: 'voipd запускается', failing: 'Есть сбой', link: 'Связь с АТС', up: 'есть', down: 'нет', connecting: 'подключение', since: 'с', lastEvent: 'Последнее событие', openCalls: 'Открытых звонков',
  store: 'База данных', lastCommit: 'Последняя запись', waitingFacts: 'Фактов в очереди', refused: 'Отвергнуто фактов', webhooks: 'Вебхуки', parked: 'Отложено', waitingEvents: 'Ждут', oldest: 'Самое старое', repair: 'Восстановление из CEL и CDR', openGaps: 'Открытых пропусков', lastRead: 'Прочитано', version: 'Версия', runsSince: 'Работает с', warnings: 'Предупреждения', noWarnings: 'Предупреждений нет',
  hookWorking: 'работает', hookFailing: 'не принимает', hookPaused: 'приостановлен', noAnswer: 'ответа не было', lastAnswer: 'Последний ответ', look: 'Посмотреть', sendAll: 'Отправить все снова', sendAgain: 'Отправить снова', sentAgain: 'Отправлено снова', resume: 'Возобновить', attempts: 'Попыток', further: 'Ещё',
  quarantine: 'Отложенные факты', facts: 'Фактов', size: 'Размер', diskFree: 'Свободно на её диске', rawFacts: 'Факты, из которых она сделана', bugReport: 'Для сообщения об ошибке, без номеров и имён', asTheyAre: 'Как есть', gotThrough: 'Позвонил снова и ему ответили', after: 'через', doctorDo: 'Подробнее на самой машине: «sudo voipd doctor».', none: 'нет', skip: 'К содержанию', more10k: 'больше',
}

export const texts = { en, ru }
export type Language = keyof typeof texts
