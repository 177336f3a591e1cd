import type { Category } from '../../policy/model.ts'
import { precedence, type Vote } from '../model.ts'
import type { Signal } from './signal.ts'

/** Verbs as they stand in scripts without spaces, and stems of Russian ones. */
const stems: Readonly<Record<Category, string>> = {
  Financial: '支付|付款|退款|转账|轉帳|买入|卖出|下单|提现|支払|返金|送金|결제|환불|송금|оплат',
  Destructive: '删除|刪除|移除|清空|清除|销毁|卸载|撤销|削除|消去|삭제|удал|очист',
  Execute: '执行|執行|运行|启动|停止|重启|部署|点击|実行|起動|실행|중지|выполн|запус|останов',
  Write:
    '创建|建立|新增|添加|更新|修改|发送|编辑|上传|保存|写入|作成|追加|送信|변경|생성|созда|отправ|обнов|добав',
  Read: '查询|查詢|查看|获取|搜索|列出|读取|查找|检索|検索|取得|一覧|조회|검색|получ|найти|поиск|показ',
}

/** Whole words of Spanish, Portuguese, French and German, as infinitive and as third person. */
const words: Readonly<Record<Category, string>> = {
  Financial: 'pagar|reembolsar|rembourser|bezahlen|überweisen|überweist|transférer',
  Destructive:
    'eliminar?|borrar?|suprimir?|excluir?|apagar?|supprimer?|effacer?|löschen|löscht|entfernen|entfernt',
  Execute: 'ejecutar?|executar|exécuter?|lancer|ausführen|starten|startet|iniciar|détener',
  Write:
    'crear?|criar?|créer|crée|erstellen|erstellt|actualizar?|atualizar?|enviar?|envía|envoyer|envoie|senden|sendet|ajouter?|hinzufügen|guardar',
  Read: 'obtener|obtiene|obter|obtenir|obtient|buscar?|listar?|consultar?|rechercher?|suchen|sucht|abrufen|afficher?|mostrar?',
}

const patterns = precedence.toReversed().map((category) => ({
  category,
  pattern: new RegExp(`${stems[category]}|(?<!\\p{L})(?:${words[category]})(?!\\p{L})`, 'iu'),
}))

/** Verbs in other languages, in name, title or the beginning of the description; the worst counts. */
export const foreignVerb: Signal = ({ nameWords, title, description }): readonly Vote[] => {
  const text = `${nameWords.join(' ')}\n${title}\n${description.slice(0, 200)}`
  for (const { category, pattern } of patterns) {
    const found = pattern.exec(text)
    if (found !== null) return [{ category, weight: 2, quote: found[0] }]
  }
  return []
}
