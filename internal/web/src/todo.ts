// What to do about a warning, by its code, where the warning's own text, which is voipd's
// and in English, does not say it or names a command for what the page does.
import { lang } from './say'

const en: Record<string, string> = {
  'backfill-unreadable': 'Check the address, the user and the user\'s rights in [[backfill]]; "sudo voipd doctor" tries them.',
  'recordings-unreadable': 'Let the user voipd read the folders of recordings.',
  'webhooks-parked': 'See below why, mend the receiver, then send them again.',
  'webhooks-late': 'See below what the receiver answers.',
  'webhooks-failing': 'See below what the receiver answers.',
  'webhooks-paused': 'Resume it below once its receiver is ready.',
  'facts-quarantined': 'Save the facts here and report them; later calls are not affected.',
  behind: 'See what else uses this machine (top, iotop), or give voipd a faster one.',
}

const ru: Record<string, string> = {
  'backfill-unreadable': 'Проверьте адрес, пользователя и его права в [[backfill]]; «sudo voipd doctor» пробует их.',
  'recordings-unreadable': 'Дайте пользователю voipd читать папки с записями.',
  'pbx-clock': 'Настройте часы обеих машин по NTP (chrony).',
  'id-used-twice': 'Настройте часы АТС по NTP (chrony).',
  'retention-waits': 'Настройте часы по NTP (chrony): удаление старого продолжится само.',
  'webhooks-parked': 'Посмотрите ниже почему, исправьте получателя и отправьте их снова.',
  'webhooks-late': 'Посмотрите ниже, что отвечает получатель.',
  'webhooks-failing': 'Посмотрите ниже, что отвечает получатель.',
  'webhooks-paused': 'Возобновите его ниже, когда получатель готов.',
  'facts-quarantined': 'Сохраните факты здесь и сообщите о них; на следующие звонки это не влияет.',
  behind: 'Посмотрите, чем ещё занята машина (top, iotop), или дайте voipd машину быстрее.',
  'many-open-calls': 'Сравните с «core show channels count» на АТС; если там меньше, перезапустите voipd и сообщите об этом.',
  'calls-without-end': 'Посмотрите на АТС «core show channels verbose» и завершите канал, который завис.',
  'store-full': 'Освободите место на диске базы данных; перезапуск не нужен.',
  'store-read-only': 'Дайте voipd писать в папку базы данных и подключите её диск для записи.',
  'store-locked': 'Завершите другую программу, которая держит базу данных.',
  'store-slow': 'Посмотрите, что ещё пишет на этот диск (iotop).',
  'store-damaged': 'voipd сам отложит файл и начнёт новый; проверьте диск.',
  'store-failing': 'Посмотрите ошибки диска в журнале ядра (dmesg).',
  'store-moved-aside': 'Проверьте диск и удалите отложенные файлы, когда они больше не нужны.',
  'store-rebuilding': 'Ничего: это закончится само.',
}

export const whatToDo = (code: string) => (lang() === 'ru' ? ru : en)[code] ?? ''
